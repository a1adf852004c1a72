/* report.c -- see report.h. */
#include "processor/report.h"

#include <inttypes.h>

#include "shared/base/buf.h"
#include "shared/base/log.h"

enum {
    LINE_MAX_BYTES = 64,
    PIECE_JOBS =
        LOG_LINE_MAX / LINE_MAX_BYTES, /* lines that log_stdout() takes at once */
};

static void format_jobs(struct buf *out, int64_t first, int64_t last)
{
    for (int64_t n = first; n <= last; n++) {
        if (buf_printf(out, "job completed %" PRId64 "\n", n))
            return;
    }
}

void report_format(struct buf *out, int64_t total, size_t count, int64_t took_ms,
                   int64_t jobs_max)
{
    int64_t first = total - (int64_t)count + 1;

    if (count == 0)
        return;
    if ((int64_t)count <= jobs_max)
        format_jobs(out, first, total);
    else if (buf_printf(out,
                        "jobs completed %" PRId64 "-%" PRId64 " (%zu events, %" PRId64
                        " ms)\n",
                        first, total, count, took_ms))
        return; /* no memory for a line: the count in Redis stands */
}

void report_print(int64_t total, size_t count, int64_t took_ms, int64_t jobs_max)
{
    struct buf text;

    buf_init(&text, LOG_LINE_MAX);
    while (count > 0) {
        size_t piece = count;

        if ((int64_t)count <= jobs_max && piece > PIECE_JOBS)
            piece = PIECE_JOBS;
        buf_clear(&text);
        report_format(&text, total - (int64_t)(count - piece), piece, took_ms, jobs_max);
        log_stdout(text.data ? text.data : "", text.len);
        count -= piece;
    }
    buf_release(&text);
}
