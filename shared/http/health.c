/* health.c -- see health.h. */
#include "shared/http/health.h"

#include <stddef.h>
#include <string.h>

enum {
    HEAD_BYTES = 16384,
    BODY_MAX = 65536, /* no route here reads a body */
    IDLE_MS = 75000,  /* a scrape each minute keeps its connection */
    HEADER_MS = 5000,
    BODY_MS = 5000,
    WRITE_MS = 10000,
};

static const char alive[] = "{\"status\":\"ok\"}";
static const char ready[] = "{\"status\":\"ready\"}";

enum http_listener http_health_others(int64_t port)
{
    return port < 0 ? HTTP_LISTENER_ALL : HTTP_LISTENER_CLIENTS;
}

int64_t http_health_files(int64_t port)
{
    return port < 0
               ? 0
               : HTTP_HEALTH_CONNECTIONS + http_server_spare(HTTP_HEALTH_CONNECTIONS) + 4;
}

enum err_code http_health_check(int64_t port, int64_t client_port, struct err *err)
{
    if (port > 0 && port == client_port)
        return err_set(err, ERR_CONFIG, "HEALTH_PORT and PORT are the same");
    return ERR_OK;
}

enum err_code http_health_start(uv_loop_t *loop,
                                const struct http_health_options *options,
                                struct http_server **ret_server, struct err *err)
{
    const struct http_options http = {
        .host = options->host,
        .port = (uint16_t)options->port,
        .listener = HTTP_LISTENER_HEALTH,
        .suspends = true,
        .max_connections = HTTP_HEALTH_CONNECTIONS,
        .max_head_bytes = HEAD_BYTES,
        .max_body_bytes = BODY_MAX,
        .max_drain_bytes = BODY_MAX,
        .idle_timeout_ms = IDLE_MS,
        .header_timeout_ms = HEADER_MS,
        .body_timeout_ms = BODY_MS,
        .write_timeout_ms = WRITE_MS,
        .routes = options->routes,
        .user = options->user,
        .on_turn_end = options->on_turn_end,
    };
    enum err_code code;

    *ret_server = NULL;
    if (options->port < 0)
        return ERR_OK;
    code = http_server_start(loop, &http, ret_server, err);
    return code ? err_wrap(err, "HEALTH_PORT") : ERR_OK;
}

void http_health_alive(struct http_request *req, void *user)
{
    (void)user;
    http_answer_json(req, 200, alive, strlen(alive));
}

void http_health_answer(struct http_request *req, const char *complaint)
{
    if (complaint)
        http_answer_error(req, 503, complaint);
    else
        http_answer_json(req, 200, ready, strlen(ready));
}
