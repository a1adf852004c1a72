/* routes.h -- what ingestion answers: POST /event, /healthz, /readyz and /metrics. */
#ifndef INGESTION_ROUTES_H
#define INGESTION_ROUTES_H

#include "shared/http/http.h"

struct access;
struct event_parser;
struct breaker;
struct ingestion_metrics;
struct loop;
struct loop_metrics;
struct committer;
struct redis_uv;

/* What the handlers need; the `user` of the server's options. */
struct routes {
    struct event_parser *parser; /* borrowed, all of them */
    struct committer *committer;
    struct redis_uv *redis;
    struct breaker *breaker;
    struct access *access;
    int64_t timestamp_ahead_max_s; /* 0: none */
    struct loop_metrics *metrics;
    const struct ingestion_metrics *all_metrics;
    struct loop *loop; /* whose routes they are */
};

/* Ends with a NULL path. */
extern const struct http_route ingestion_routes[];

/* Whether POST /event is let in, by its headers; see struct http_options. */
unsigned routes_authorize(const struct http_request *req, void *user, struct err *err);

#endif
