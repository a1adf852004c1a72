/* asset.c -- see asset.h. */
#include "shared/http/asset.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "shared/base/siphash.h"
#include "shared/http/internal.h"

enum {
    GZIP_WINDOW = 15 + 16, /* the largest window, in the format of gzip */
    GZIP_MEMORY = 9
};

/* --- made at the start ---------------------------------------------------------------- */

void http_made_asset_init(struct http_made_asset *made, size_t max_bytes)
{
    *made = (struct http_made_asset){.etag = ""};
    buf_init(&made->plain, max_bytes);
    buf_init(&made->gzip,
             max_bytes + max_bytes / 8 + 64); /* of what does not pack, too */
}

void http_made_asset_release(struct http_made_asset *made)
{
    buf_release(&made->plain);
    buf_release(&made->gzip);
}

static enum err_code pack(const struct buf *plain, struct buf *out)
{
    z_stream stream = {0};
    enum err_code code;
    int result;

    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return ERR_NOMEM;
    code = buf_reserve(out, deflateBound(&stream, plain->len));
    stream.next_in = (z_const Bytef *)plain->data;
    stream.avail_in = (uInt)plain->len;
    stream.next_out = (Bytef *)out->data;
    stream.avail_out = code ? 0 : (uInt)out->cap;
    result = code ? Z_BUF_ERROR : deflate(&stream, Z_FINISH);
    out->len = stream.total_out;
    (void)deflateEnd(&stream); /* nothing to learn from it */
    return result == Z_STREAM_END ? ERR_OK : ERR_NOMEM;
}

enum err_code http_made_asset_finish(struct http_made_asset *made, const char *name,
                                     const char *content_type)
{
    static const struct siphash_key key = {0, 0}; /* a checksum, no secret */
    enum err_code code = pack(&made->plain, &made->gzip);

    if (code)
        return code;
    (void)snprintf(made->etag, sizeof(made->etag), "\"%016" PRIx64 "\"",
                   siphash(&key, made->plain.data, made->plain.len));
    made->asset = (struct http_asset){.name = name,
                                      .etag = made->etag,
                                      .content_type = content_type,
                                      .plain = made->plain.data,
                                      .plain_len = made->plain.len,
                                      .gzip = made->gzip.data,
                                      .gzip_len = made->gzip.len};
    return ERR_OK;
}

/* --- the answer ----------------------------------------------------------------------- */

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
