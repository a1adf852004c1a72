/* contract_time.h -- a second opinion on timestamps: the sentences of docs/protocol.md as
 * regular expressions, and the C library's calendar. */
#ifndef TESTS_FUZZ_CONTRACT_TIME_H
#define TESTS_FUZZ_CONTRACT_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True for what the contract accepts; *ret_ms is the point in time, since 1970. */
bool contract_time_accepts(const char *text, size_t len, int64_t *ret_ms);

#endif
