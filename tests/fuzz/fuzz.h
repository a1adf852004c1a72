/* fuzz.h -- what the fuzz targets share.
 *
 * A target is one LLVMFuzzerTestOneInput().  With libFuzzer (preset fuzz) it is fed what
 * the fuzzer thinks up; in every other build replay.c feeds it the committed corpus.
 *
 * MUST() is not assert(): it also holds where assertions are compiled out.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define MUST(condition)                                                                  \
    do {                                                                                 \
        if (!(condition)) {                                                              \
            (void)fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__,       \
                          #condition);                                                   \
            abort();                                                                     \
        }                                                                                \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
