/* A handler for SIGBUS that ends the copy which raised it. */
#include "fault.h"

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

/* The copy that this thread is in, if any. The handler runs on the thread that faults. */
struct copy {
    sigjmp_buf leave;
    uintptr_t to;
    uintptr_t from;
    size_t size;
};

static _Thread_local struct copy *volatile current;

static bool concerns(const struct copy *copy, uintptr_t address) {
    return copy != NULL && (address - copy->to < copy->size || address - copy->from < copy->size);
}

static void on_bus_error(int number, siginfo_t *info, void *context) {
    (void)context;
    if (info->si_code == BUS_ADRERR && concerns(current, (uintptr_t)info->si_addr)) {
        siglongjmp(current->leave, 1);
    }
    signal(number, SIG_DFL); /* and it is raised again where we return to */
}

void hc_fault_prepare(void) {
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

bool hc_fault_copy(void *to, const void *from, size_t size) {
    struct copy copy = {.to = (uintptr_t)to, .from = (uintptr_t)from, .size = size};
    if (sigsetjmp(copy.leave, 0) != 0) {
        current = NULL;
        return false;
    }
    current = &copy;
    memmove(to, from, size);
    current = NULL;
    return true;
}
