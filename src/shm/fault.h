/*
 * Copies to and from mapped files that others may cut short meanwhile.
 *
 * Touching a page that a file no longer has raises SIGBUS. A handler for it, which
 * hc_fault_prepare() installs, has the copy fail that a thread is in; a SIGBUS from anywhere else
 * ends the process as always. Any thread.
 */
#ifndef HC_SHM_FAULT_H
#define HC_SHM_FAULT_H

#include <stdbool.h>
#include <stddef.h>

void hc_fault_prepare(void);

/* memmove(); false: it met a page that is not there, and an unknown part is copied. */
bool hc_fault_copy(void *to, const void *from, size_t size);

#endif
