/* Switches by hand where that is known, since kernels switch at every shuffle; else by the C
 * library, which asks the kernel for signal masks each time. */
#include "fiber.h"

#ifdef __x86_64__

#include <stdint.h>
#include <string.h>

/* Registers that a function must keep are kept on the stack, the return address above them. */
enum { N_KEPT = 6 };

__asm__(".text\n"
        ".type switch_stacks, @function\n"
        "switch_stacks:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size switch_stacks, . - switch_stacks\n");

void switch_stacks(void **from, void *to) __attribute__((visibility("hidden")));

void fiber_init(struct fiber *fiber, char *stack, size_t stack_size, void (*run)(void)) {
    uint64_t *top = (uint64_t *)(stack + stack_size);
    *--top = 0; /* where RUN would return to */
    *--top = (uintptr_t)run;
    top -= N_KEPT;
    memset(top, 0, N_KEPT * sizeof *top);
    fiber->stack = top;
}

void fiber_switch(struct fiber *from, struct fiber *to) {
    switch_stacks(&from->stack, to->stack);
}

#else

void fiber_init(struct fiber *fiber, char *stack, size_t stack_size, void (*run)(void)) {
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = stack;
    fiber->context.uc_stack.ss_size = stack_size;
    fiber->context.uc_link = NULL;
    makecontext(&fiber->context, run, 0);
}

void fiber_switch(struct fiber *from, struct fiber *to) {
    swapcontext(&from->context, &to->context);
}

#endif
