/* asset.c -- see asset.h. */
#include "shared/http/asset.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "shared/http/internal.h"

/* Whether a list such as `br;q=1, gzip` has the word, and does not refuse it by q=0. */
static bool accepts(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (const char *at = list; at && *at; at = strchr(at, ',')) {
        const char *q;

        at += strspn(at, ", \t");
        if (strncasecmp(at, word, len) != 0 || strcspn(at, ";, \t") != len)
            continue;
        q = at + len + strspn(at + len, " \t");
        if (*q != ';')
            return true;
        q += 1 + strspn(q + 1, " \t");
        if (strncasecmp(q, "q=", 2) != 0)
            return true;
        return q[2 + strspn(q + 2, "0.")] >= '1' && q[2 + strspn(q + 2, "0.")] <= '9';
    }
    return false;
}

bool http_takes_gzip(const struct http_request *req)
{
    return accepts(http_request_header(req, "Accept-Encoding"), "gzip");
}

/* In If-None-Match W/ makes no difference. */
bool http_has_etag(const struct http_request *req, const char *etag)
{
    const char *known = http_request_header(req, "If-None-Match");

    return known && etag && (strcmp(known, "*") == 0 || strstr(known, etag) != NULL);
}

static bool add_all(struct MHD_Response *response, const struct http_asset *asset,
                    bool is_packed, const struct http_header *headers)
{
    if ((asset->etag && !http_answer_add(response, "ETag", asset->etag)) ||
        (asset->gzip && !http_answer_add(response, "Vary", "Accept-Encoding")))
        return false;
    if (is_packed && !http_answer_add(response, "Content-Encoding", "gzip"))
        return false;
    for (; headers->name; headers++) {
        if (!http_answer_add(response, headers->name, headers->value))
            return false;
    }
    return true;
}

void http_answer_asset(struct http_request *req, const struct http_asset *asset,
                       const struct http_header *headers)
{
    struct answer answer = {
        .status = 200, .body = asset->plain, .body_len = asset->plain_len};
    bool is_packed = false;

    if (http_has_etag(req, asset->etag)) {
        answer = (struct answer){.status = 304, .body = ""};
    } else if (asset->gzip && http_takes_gzip(req)) {
        is_packed = true;
        answer.body = asset->gzip;
        answer.body_len = asset->gzip_len;
    }
    answer.response = http_answer_static(answer.body, answer.body_len);
    if (answer.response && !add_all(answer.response, asset, is_packed, headers))
        http_answer_forget(&answer);
    http_answer_finish(req, &answer, answer.status == 304 ? NULL : asset->content_type);
}
