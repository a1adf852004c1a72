/* metrics.h -- what an HTTP server counts, and the answer to GET /metrics.
 *
 * The server of http.h counts in the struct that its options name, from its loop's thread;
 * any thread may read it.  The struct belongs to the daemon, so that it outlives the
 * server.
 */
#ifndef SHARED_HTTP_METRICS_H
#define SHARED_HTTP_METRICS_H

#include "shared/base/metrics.h"

struct http_request;

/* Where a connection stands.  The phases up to WRITING have a deadline each; connections
 * of one phase are kept in the order in which they entered it, which is the order of
 * their deadlines because a phase always lasts the same. */
enum http_phase {
    PHASE_IDLE,    /* open, no byte of a request yet */
    PHASE_HEADERS, /* a head has begun */
    PHASE_BODY,    /* headers seen */
    PHASE_WRITING, /* answer queued */
    PHASE_WAITING, /* the handler has the request; no deadline of ours */
    PHASE_COUNT
};

/* The statuses that are told apart; any other is "other". */
#define HTTP_METRIC_STATUSES(X)                                                          \
    X(200)                                                                               \
    X(204)                                                                               \
    X(304)                                                                               \
    X(400)                                                                               \
    X(401)                                                                               \
    X(403)                                                                               \
    X(404)                                                                               \
    X(405) X(408) X(413) X(414) X(415) X(417) X(429) X(431) X(500) X(501) X(503) X(505)

enum http_metric_status {
#define HTTP_METRIC_ENUM(status) HTTP_METRIC_##status,
    HTTP_METRIC_STATUSES(HTTP_METRIC_ENUM)
#undef HTTP_METRIC_ENUM
    HTTP_METRIC_OTHER,
    HTTP_METRIC_STATUS_COUNT
};

/* Why a request was refused before any handler saw it. */
#define HTTP_REFUSALS(X)                                                                 \
    X(HOSTILE, "malformed") /* headers by which a request could be smuggled */           \
    X(HEADERS, "headers")   /* an encoding or expectation that is not supported */       \
    X(NOT_FOUND, "not_found")                                                            \
    X(METHOD, "method")                                                                  \
    X(LENGTH, "too_large")  /* the body, by its length or once inflated */               \
    X(BODY, "encoding")     /* a body that does not inflate */                           \
    X(BUSY, "busy")         /* unfinished bodies hold all that they may */               \
    X(DEADLINE, "deadline") /* it did not come within its time */                        \
    X(SHUTDOWN, "shutdown")

enum http_refusal {
#define HTTP_REFUSAL_ENUM(name, text) HTTP_REFUSAL_##name,
    HTTP_REFUSALS(HTTP_REFUSAL_ENUM)
#undef HTTP_REFUSAL_ENUM
    HTTP_REFUSAL_COUNT
};

/* Why a connection was closed although no deadline had passed. */
#define HTTP_LEAVES(X)                                                                   \
    X(FULL, "full")       /* MAX_CONNECTIONS */                                          \
    X(ADDRESS, "address") /* MAX_CONNECTIONS_PER_IP: an idle one of the address */       \
    X(REFUSED, "refused") /* the same: none of the address was idle, so the new one */

enum http_leave {
#define HTTP_LEAVE_ENUM(name, text) HTTP_LEAVE_##name,
    HTTP_LEAVES(HTTP_LEAVE_ENUM)
#undef HTTP_LEAVE_ENUM
    HTTP_LEAVE_COUNT
};

/* In the order of enum http_phase. */
enum {
    HTTP_METRIC_PHASES = 5
};

struct http_metrics {
    struct metric answers[HTTP_METRIC_STATUS_COUNT];
    struct metric refusals[HTTP_REFUSAL_COUNT];
    struct metric connections; /* open now */
    struct metric connections_max;
    struct metric accepted;
    struct metric leaves[HTTP_LEAVE_COUNT];
    struct metric timeouts[HTTP_METRIC_PHASES];   /* cut at a deadline */
    struct metric unanswered[HTTP_METRIC_PHASES]; /* closed within a request */
    struct metric body_bytes;     /* that unfinished bodies hold of their budget */
    struct metric body_bytes_max; /* set by the daemon */
    struct metric unread_clients; /* a trusted proxy wrote an address that is none */
};

/* The table of a struct http_metrics, for a metrics_part whose `first` points at one. */
extern const struct metric_item http_metric_items[];

/* Where an answer of this status is counted. */
enum http_metric_status http_metric_status(unsigned status);

/* Answers req with the text of all parts. */
void http_answer_metrics(struct http_request *req, const struct metrics_part *parts,
                         size_t count);

#endif
