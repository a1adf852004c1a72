/* fields.h -- the fields of an event, one row each; everything that knows them is made from
 * this table: struct event, the rules of the parser, the job of the queue, the columns of
 * COPY, and the table of docs/protocol.md.
 *
 *   X(NAME, key, TYPE, member, presence, most)
 *
 *   NAME      of its flaw, EVENT_FLAW_NAME
 *   key       in the JSON of clients and jobs, and its column in the table events
 *   TYPE      TEXT   a string of at most `most` characters
 *             TIME   a point in time, as milliseconds since 1970
 *             UUID   a string in the 36-character form
 *   member    of struct event
 *   presence  EVENT_REQUIRED  the key must be there, and not be empty
 *             EVENT_NULLABLE  absent and null are the same, written as null; "" is
 *                             a value
 *             EVENT_OPTIONAL  absent and null are the same, and absent from the
 *                             job; not empty
 *
 * The order is that in which the rules are judged; that of the job is the same, with
 * event_id in front.
 */
#ifndef SHARED_EVENT_FIELDS_H
#define SHARED_EVENT_FIELDS_H

enum event_presence {
    EVENT_REQUIRED,
    EVENT_NULLABLE,
    EVENT_OPTIONAL
};

/* clang-format off */
#define EVENT_FIELDS(X) \
    X(SITE_ID,     "site_id",     TEXT, site_id,        EVENT_REQUIRED, 255) \
    X(EVENT_TYPE,  "event_type",  TEXT, event_type,     EVENT_REQUIRED, 255) \
    X(PATH,        "path",        TEXT, path,           EVENT_REQUIRED, 2048) \
    X(USER_ID,     "user_id",     TEXT, user_id,        EVENT_NULLABLE, 255) \
    X(TIMESTAMP,   "timestamp",   TIME, timestamp_ms,   EVENT_REQUIRED, 0) \
    X(EVENT_ID,    "event_id",    UUID, event_id,       EVENT_OPTIONAL, 0)

/* What only jobs have, and no column: refused from clients. */
#define EVENT_JOB_FIELDS(X) \
    X(RECEIVED_AT, "received_at", TIME, received_at_ms, EVENT_OPTIONAL, 0)
/* clang-format on */

#endif
