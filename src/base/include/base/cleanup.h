/*
 * Ownership in the type system's place: a variable declared with hc_auto(name) is released when
 * it goes out of scope, unless hc_take() handed its value over before.
 *
 * HC_CLEANUP(name, type, release) teaches hc_auto() a pointer type; RELEASE must accept NULL.
 */
#ifndef HC_BASE_CLEANUP_H
#define HC_BASE_CLEANUP_H

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define HC_CLEANUP(name, type, release)                                                            \
    typedef type hc_auto_type_##name;                                                              \
    static inline void hc_auto_release_##name(type *place) {                                       \
        release(*place);                                                                           \
    }                                                                                              \
    struct hc_auto_semicolon_##name

/* Declares e.g. `hc_auto(memory) text = strdup(…);` */
#define hc_auto(name) __attribute__((cleanup(hc_auto_release_##name))) hc_auto_type_##name

/* The value of the pointer variable PLACE, which is NULL afterwards. */
#define hc_take(place)                                                                             \
    ({                                                                                             \
        __typeof__(place) hc_taken_ = (place);                                                     \
        (place) = NULL;                                                                            \
        hc_taken_;                                                                                 \
    })

HC_CLEANUP(memory, void *, free);
HC_CLEANUP(text, char *, free);

/* Close a descriptor; negative ones are none. */
static inline void hc_fd_close(int fd) {
    if (fd >= 0) {
        close(fd);
    }
}

HC_CLEANUP(fd, int, hc_fd_close);

/* As hc_take(), for descriptors: the variable holds none (-1) afterwards. */
static inline int hc_fd_take(int *place) {
    int fd = *place;
    *place = -1;
    return fd;
}

#endif
