/* segment.h -- how events stand in a spool file.
 *
 * A segment is a file of records, one after the other.  A record is a line of text with
 * its lengths and checksums, then its jobs, one a line, so that a pager shows everything:
 *
 *   EVENTS1 000000cf 00000001 1c291ca3 8d08ff9b
 *   {"event_id":"...","site_id":"...", ... }
 *
 * The numbers are hexadecimal: bytes of jobs (line feeds included), number of jobs, CRC-32
 * of the jobs, CRC-32 of the 35 bytes before it.  The header has a checksum of its own so
 * that a length can be believed before the jobs are there: a record that is cut short (a
 * crash while it was written) is told from one that is damaged, and after damage the next
 * record is found again.  A job is a JSON object in one line: it ends with a brace and its
 * line feed, and no job has in it what ends like a header.
 *
 * Pure: bytes in, value out.
 */
#ifndef INGESTION_SPOOL_SEGMENT_H
#define INGESTION_SPOOL_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"

struct buf;

enum {
    SEGMENT_HEADER_LEN = 44,
    SEGMENT_JOBS_MAX = 1048576, /* bytes of jobs in a record */
    SEGMENT_COUNT_MAX = 10000,  /* jobs in a record */
    SEGMENT_RECORD_MAX = SEGMENT_HEADER_LEN + SEGMENT_JOBS_MAX,
};

/* --- writing ---------------------------------------------------------------- */

/* A record that is being written at the end of a buffer. */
struct segment_record {
    struct buf *out; /* borrowed */
    size_t start;    /* of the record in out */
    size_t count;    /* jobs in it */
};

/* Begins a record at the end of out; errors as buf_add(). */
enum err_code segment_begin(struct segment_record *record, struct buf *out) MUST_CHECK;

/* True when a job of len bytes has to go into another record. */
bool segment_is_full(const struct segment_record *record, size_t len);

/* Appends a job.  On failure the record is unchanged.
 *
 * ERR_INVALID  it has no braces around it, or holds a line feed
 * ERR_TOO_BIG  the record is full, or the buffer
 * ERR_NOMEM    try again later */
enum err_code segment_add(struct segment_record *record, const char *job,
                          size_t len) MUST_CHECK;

/* Completes the record; one without jobs is taken away. */
void segment_end(struct segment_record *record);

/* --- reading ---------------------------------------------------------------- */

enum segment_kind {
    SEGMENT_RECORD,  /* a record that verifies */
    SEGMENT_MORE,    /* give more of the file */
    SEGMENT_DAMAGED, /* bytes that are no record, up to the next header or the end */
    SEGMENT_TORN,    /* the end of the file, inside a record */
    SEGMENT_END,     /* the end of the file, after a record */
};

struct segment_piece {
    enum segment_kind kind;
    size_t len;       /* go on after so many bytes */
    const char *jobs; /* of a record: its lines, borrowed from the bytes given */
    size_t jobs_len;
    size_t count;
};

/* Looks at what a part of a file begins with.  is_last says that the file ends with it; a
 * part that is not the last is never SEGMENT_MORE when it has SEGMENT_RECORD_MAX bytes. */
struct segment_piece segment_read(const char *bytes, size_t len, bool is_last);

/* Takes the job at *offset from a record's lines and moves on; false at their end. */
bool segment_next_job(const struct segment_piece *record, size_t *offset,
                      const char **ret_job, size_t *ret_len);

#endif
