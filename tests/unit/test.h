/* What every unit test includes: cmocka wants its companions before it. */
#ifndef HC_TESTS_UNIT_TEST_H
#define HC_TESTS_UNIT_TEST_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
/* clang-format on */

#define N_ITEMS(array) (sizeof(array) / sizeof((array)[0]))

#endif
