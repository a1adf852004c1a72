/* accept.h -- what all ways in share: an event that a client's protocol gave is judged,
 * completed and put into the group; the answer is given by commit/committer.c once that is
 * safe.
 *
 * A way in is one file that fills struct events from one protocol: event.c, batch.c,
 * collect.c.  The address's limit and the key are judged earlier, by the headers
 * (routes.c).
 */
#ifndef INGESTION_WAYS_ACCEPT_H
#define INGESTION_WAYS_ACCEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "ingestion/metrics.h"
#include "shared/base/buf.h"
#include "shared/base/err.h"

struct access;
struct agent_cache;
struct enricher;
struct committer;
struct delivery;
struct event;
struct event_parser;
struct http_request;
struct salts;
struct arrivals;

/* What every way needs. */
struct ways {
    struct event_parser *parser; /* borrowed, as all of these */
    struct committer *committer;
    struct access *access;
    struct salts *salts;
    struct arrivals *arrivals;
    struct agent_cache *agents; /* of this loop */
    const char *country_header; /* "": none; only from access_proxies() */
    struct enricher *enricher;
    bool respects_gpc;
    struct loop_metrics *metrics;
    int64_t timestamp_ahead_max_s; /* 0: no limit */
    int64_t max_batch_events;
    struct buf errors; /* of the batch at hand, as its answer has them; released by the
                          owner */
};

/* Judges an event by the clock and by its site, and gives it what it lacks: received_at, and
 * an event_id.  0, or the status to refuse it with, counted, and the sentence in err->msg. */
unsigned accept_judge(struct ways *ways, struct event *event, struct err *err) MUST_CHECK;

/* Judges whether the request may say whom an event is of: address and User-Agent of another
 * need the key.  Likewise. */
unsigned accept_judge_visitor(struct ways *ways, const struct http_request *req,
                              const struct event *event, struct err *err) MUST_CHECK;

/* The same, and fills in what the event's own fields tell, see enrich.h: of what servers
 * send. */
unsigned accept_enrich(struct ways *ways, const struct http_request *req,
                       struct event *event, struct err *err) MUST_CHECK;

/* Judges the address of a request that brings a further event; likewise. */
unsigned accept_judge_address(struct ways *ways, const struct http_request *req,
                              struct err *err) MUST_CHECK;

/* Counts so many events that the parser or the committer has not taken. */
void accept_note(struct ways *ways, enum err_code code, size_t events);

/* Answers with the status of the code: 503 in the words of the contract, otherwise
 * err->msg. */
void accept_refuse(struct http_request *req, enum err_code code, const struct err *err);

/* Both, of a request of one event or before its first one. */
void accept_reject(struct ways *ways, struct http_request *req, enum err_code code,
                   const struct err *err);

/* Takes back what of a request's events is in the delivery, counts them as refused, at least
 * one, and answers.  ERR_INVALID is what is wrong with the text around the events. */
void accept_reject_all(struct ways *ways, struct http_request *req,
                       struct delivery *delivery, size_t events, const struct err *err);

#endif
