/* letters.h -- the table dead_letters, read page by page.
 *
 * A page is bounded in rows and in bytes.  Pages go from the oldest letter to the newest
 * of the moment in which the reading began: a letter that fails again meanwhile is newer,
 * and is not met a second time.
 *
 * A letter has an identity, which changes when its job fails again.  What was read is
 * deleted by identity, so that a letter that is news to the reader stays.
 */
#ifndef PROCESSOR_DEAD_LETTERS_H
#define PROCESSOR_DEAD_LETTERS_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/buf.h"
#include "shared/base/err.h"

enum {
    DEAD_PAGE_ROWS = 500,
    DEAD_PAGE_BYTES = 8 << 20, /* of payloads */
    DEAD_PAYLOAD_MAX = 1048576 /* bytes of a job that are kept; 001_schema.sql */
};

/* What to look for; NULL is anything.  Borrowed texts. */
struct dead_filter {
    const char *site_id;
    const char *reason; /* stands somewhere in the letter's */
    const char *event_id;
    const char *since; /* texts that Postgres takes for a timestamptz */
    const char *until; /* not included */
};

/* Texts are borrowed from the page. */
struct letter {
    const char *created_at; /* 2025-11-14T10:00:00.000Z; when the job failed last */
    const char *event_id;
    const char *site_id;  /* NULL when it could not be read */
    const char *sqlstate; /* NULL when the job itself is wrong */
    const char *reason;
    const char *batch_id;
    const char *batch_place;
    int64_t payload_bytes; /* of the whole job */
    const char *payload;   /* its first bytes; not NUL-terminated */
    size_t payload_len;
    const char *identity; /* a JSON array */
};

struct dead_letters {
    PGconn *conn; /* borrowed */
    int64_t timeout_ms;
    struct dead_filter filter;
    int64_t preview; /* bytes of a payload to read */
    int64_t left;    /* letters to read or to delete at most */
    bool has_more;   /* there are letters beyond that limit */
    PGresult *page;  /* owned */
    char *cursor;    /* owned; the identity of the last letter read; NULL: none yet */
    char *began;     /* owned; when the reading began, by Postgres's clock */
    struct buf payload;
};

/* limit and preview as the fields above. */
void dead_letters_init(struct dead_letters *letters, PGconn *conn, int64_t timeout_ms,
                       const struct dead_filter *filter, int64_t limit, int64_t preview);
void dead_letters_release(struct dead_letters *letters);

/* Reads the next page; *ret_count is 0 after the last, or at the limit. */
enum err_code dead_letters_read(struct dead_letters *letters, size_t *ret_count,
                                struct err *err) MUST_CHECK;

/* A letter of the page; *ret_letter lives until the next call. */
enum err_code dead_letters_get(struct dead_letters *letters, size_t index,
                               struct letter *ret_letter, struct err *err) MUST_CHECK;

/* Deletes the letters whose identities stand in the JSON array, one comma apart, and are
 * still the ones read.  *ret_count is how many those were. */
enum err_code dead_letters_forget(struct dead_letters *letters, const char *identities,
                                  int64_t *ret_count, struct err *err) MUST_CHECK;

/* Deletes a page; *ret_count is 0 after the last, or at the limit. */
enum err_code dead_letters_purge(struct dead_letters *letters, int64_t *ret_count,
                                 struct err *err) MUST_CHECK;

#endif
