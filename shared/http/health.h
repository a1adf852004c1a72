/* health.h -- what every daemon answers about itself, and the listener for that alone.
 *
 *   GET /healthz   it is alive
 *   GET /readyz    what it needs answers
 *   GET /metrics   figures for Prometheus
 *
 * The listener (HEALTH_HOST and HEALTH_PORT) has connections of its own, so that it answers
 * when clients have taken all others, and can be bound to an address that clients do not
 * reach.  It runs on a loop of the daemon, with the daemon's routes.
 */
#ifndef SHARED_HTTP_HEALTH_H
#define SHARED_HTTP_HEALTH_H

#include <stdint.h>
#include <uv.h>

#include "shared/base/err.h"
#include "shared/http/http.h"

enum {
    HTTP_HEALTH_CONNECTIONS = 64 /* of the listener; beyond it the idle one gives way */
};

struct http_health_options {
    const char *host;
    int64_t port; /* below 0: no listener */
    const struct http_route *routes;
    void *user; /* as in struct http_options, these three */
    void (*on_turn_end)(void *user);
};

/* The listener for clients beside a health listener on this port, or without one. */
enum http_listener http_health_others(int64_t port);

/* How many files the listener takes. */
int64_t http_health_files(int64_t port);

/* ERR_CONFIG when the two ports are the same. */
enum err_code http_health_check(int64_t port, int64_t client_port,
                                struct err *err) MUST_CHECK;

/* Starts the listener on loop; *ret_server is NULL when there is to be none.  Errors as
 * http_server_start(), with the setting's name. */
enum err_code http_health_start(uv_loop_t *loop,
                                const struct http_health_options *options,
                                struct http_server **ret_server,
                                struct err *err) MUST_CHECK;

/* The handler of /healthz. */
void http_health_alive(struct http_request *req, void *user);

/* The answer to /readyz: ready, or 503 with the complaint unless that is NULL. */
void http_health_answer(struct http_request *req, const char *complaint);

#endif
