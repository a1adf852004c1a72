/* patterns.h -- which of many short texts stand in some bytes, in one pass over them.
 *
 * An automaton of Aho and Corasick (1975): one table look-up for each byte, whatever the
 * number of texts.  Letters of ASCII are compared without regard to their case; all other
 * bytes, NUL included, are compared as they are.
 *
 * Made once at the start; read-only from then on, so all loops may share one.
 */
#ifndef INGESTION_ENRICH_TABLES_PATTERNS_H
#define INGESTION_ENRICH_TABLES_PATTERNS_H

#include <stddef.h>

#include "shared/base/err.h"

struct patterns; /* opaque */

/* `end` is the offset of the byte after the text found. */
typedef void (*pattern_found_fn)(size_t pattern, size_t end, void *user);

/* The texts must differ, none may be empty, and together they may have 65,534 bytes; they
 * are not needed afterwards.  ERR_NOMEM; ERR_CONFIG when they are too long. */
enum err_code patterns_new(const char *const *texts, size_t count,
                           struct patterns **ret_patterns, struct err *err) MUST_CHECK;
void patterns_free(struct patterns *patterns); /* NULL is fine */

/* Calls found for each text at each place where it ends, from left to right. */
void patterns_scan(const struct patterns *patterns, const char *bytes, size_t len,
                   pattern_found_fn found, void *user);

#endif
