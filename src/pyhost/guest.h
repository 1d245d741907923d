/*
 * Guests: children of the model's process that call other models.
 *
 * A child inherits nothing that it could call with: the rings and arenas are its parent's. With its
 * first call it asks the server for its own, through a door that the server has opened to all
 * processes of the instance: a socket that takes whole messages, so that any number of them may
 * knock. It sends one end of a new socket, which brings the answer, and whose end is the guest's.
 */
#ifndef HC_PYHOST_GUEST_H
#define HC_PYHOST_GUEST_H

#include <stdbool.h>

/* In the model's process, once: the door, taken over. */
void hc_guest_prepare(int door);

/* In a child, with the GIL: from now on calls go over an end of its own. False with an exception
 * set. */
bool hc_guest_begin(void);

#endif
