/* cors.c -- the headers for pages of other origins; see http.h.
 *
 * A route that pages write to names whatever allowed origin asks, with credentials, because
 * sendBeacon() always sends them: a browser takes no "*" then.  That gives nothing away, as
 * such routes read no cookie and answer nothing about anyone.
 */
#include <stdio.h>
#include <string.h>

#include "shared/access/origins.h"
#include "shared/http/internal.h"

enum {
    VARY_MAX = 128,
    ASKED_MAX = 1024 /* bytes of Access-Control-Request-Headers that are repeated */
};

bool http_cors_is_on(const struct http_server *server, const struct http_route *route)
{
    const struct origins *origins = server->options.origins;

    return route->cors == HTTP_CORS_WRITE ||
           (route->cors == HTTP_CORS_READ && origins && origins->count > 0);
}

static bool is_allowed(const struct http_request *req, const char *origin)
{
    const struct origins *origins = req->server->options.origins;

    return origin && origins && origins_have(origins, origin);
}

static bool allows_all(const struct http_request *req)
{
    return req->route->cors == HTTP_CORS_WRITE && req->server->options.origins &&
           req->server->options.origins->has_all;
}

bool http_cors_is_plain(const struct http_request *req)
{
    return req->route && allows_all(req) && !http_request_header(req, "Origin");
}

/* For caches: the origin matters, besides what the answer names. */
static bool add_vary(struct MHD_Response *response)
{
    const char *named = MHD_get_response_header(response, "Vary");
    char all[VARY_MAX];

    (void)snprintf(all, sizeof(all), "%s%sOrigin", named ? named : "", named ? ", " : "");
    if (named && MHD_del_response_header(response, "Vary", named) != MHD_YES)
        return false;
    return http_answer_add(response, "Vary", all);
}

bool http_cors_add(const struct http_request *req, struct MHD_Response *response)
{
    const char *origin;

    if (!req->server || !req->route || !http_cors_is_on(req->server, req->route))
        return true; /* nobody is left to read it, or may */
    origin = http_request_header(req, "Origin");
    if (!origin && allows_all(req))
        return http_answer_add(response, "Access-Control-Allow-Origin", "*");
    if (is_allowed(req, origin) &&
        !(http_answer_add(response, "Access-Control-Allow-Origin", origin) &&
          (req->route->cors != HTTP_CORS_WRITE ||
           http_answer_add(response, "Access-Control-Allow-Credentials", "true"))))
        return false;
    return add_vary(response);
}

/* Names of headers, separated by commas: what may be repeated. */
static bool is_list_of_tokens(const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c != ',' && c != ' ' &&
            (c <= ' ' || c >= 0x7f || strchr("\"()/:;<=>?@[\\]{}", c)))
            return false;
    }
    return len > 0 && len <= ASKED_MAX;
}

bool http_cors_add_preflight(const struct http_request *req,
                             struct MHD_Response *response, const char *methods)
{
    const char *origin = http_request_header(req, "Origin");
    const char *asked = http_request_header(req, "Access-Control-Request-Headers");

    if (!http_answer_add(response, "Allow", methods))
        return false;
    if (origin ? !is_allowed(req, origin) : !allows_all(req))
        return true;
    if (!asked || !is_list_of_tokens(asked))
        asked = "Authorization, Content-Type, Content-Encoding";
    return http_answer_add(response, "Access-Control-Allow-Methods", methods) &&
           http_answer_add(response, "Access-Control-Allow-Headers", asked) &&
           http_answer_add(response, "Access-Control-Max-Age", "7200");
}
