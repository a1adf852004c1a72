/* report.h -- what the processor prints on stdout about jobs that are done.
 *
 *     job completed 17
 *     jobs completed 18-5017 (5000 events, 41 ms)
 */
#ifndef PROCESSOR_REPORT_H
#define PROCESSOR_REPORT_H

#include <stddef.h>
#include <stdint.h>

struct buf;

/* Appends the lines for `count` jobs, the last of which is number `total`: a line for each
 * of at most jobs_max jobs, otherwise one in all.  A line that does not fit is left out. */
void report_format(struct buf *out, int64_t total, size_t count, int64_t took_ms,
                   int64_t jobs_max);

/* The same, to stdout. */
void report_print(int64_t total, size_t count, int64_t took_ms, int64_t jobs_max);

#endif
