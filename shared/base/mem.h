/* mem.h -- heap allocation that a test can make fail.
 *
 * All heap memory of the project comes from here, so that one test loop ("fail the 1st,
 * the 2nd, the 3rd ... allocation until it succeeds") reaches every out-of-memory path.
 * Sizes are checked for overflow.  What libraries allocate does not come from here.
 */
#ifndef SHARED_BASE_MEM_H
#define SHARED_BASE_MEM_H

#include <stddef.h>

/* Each returns NULL when out of memory; the caller owns the block: mem_free(). */
void *mem_alloc(size_t size);
void *mem_calloc(size_t count, size_t size);
char *mem_strdup(const char *text);

/* Like realloc(3): on NULL the old block is untouched and still the caller's. */
void *mem_realloc(void *block, size_t size);

/* NULL is fine. */
void mem_free(void *block);

/* For tests: lets `after` allocations succeed and fails the one that follows, then
 * behaves again.  A negative number switches it off. */
void mem_fail_after(long after);

#endif
