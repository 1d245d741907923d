/*
 * Threads of execution that take turns: each has a stack, and runs until it switches to another.
 */
#ifndef FAKE_CUDA_FIBER_H
#define FAKE_CUDA_FIBER_H

#include <stddef.h>

#ifdef __x86_64__

struct fiber {
    void *stack; /* where it is, while it does not run */
};

#else

#include <ucontext.h>

struct fiber {
    ucontext_t context;
};

#endif

/* FIBER enters RUN, which must not return, once it is switched to. */
void fiber_init(struct fiber *fiber, char *stack, size_t stack_size, void (*run)(void));

/* Leave FROM, which runs, for TO; returns when FROM is switched to. */
void fiber_switch(struct fiber *from, struct fiber *to);

#endif
