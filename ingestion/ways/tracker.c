/* tracker.c -- see tracker.h. */
#include "ingestion/ways/tracker.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <zlib.h>

#include "shared/base/buf.h"
#include "shared/base/mem.h"
#include "shared/base/siphash.h"
#include "shared/http/asset.h"

enum {
    BYTES_MAX = 65536,     /* of the script */
    GZIP_WINDOW = 15 + 16, /* the largest window, in the format of gzip */
    GZIP_MEMORY = 9
};

struct tracker {
    struct http_asset asset;
    char etag[20]; /* quoted, 16 digits */
    struct buf plain;
    struct buf gzip;
};

/* Made by cmake/embed.cmake. */
extern const struct http_asset asset_t_js;

/* What stands in it for the two paths. */
static const char collect_name[] = "\"collect\"";
static const char pixel_name[] = "\"pixel.gif?\"";

/* For every page, also one that loads only what says that it may be loaded; and kept for so
 * long that a new version is everywhere within the hour. */
static const struct http_header headers[] = {
    {"Access-Control-Allow-Origin", "*"},
    {"Cross-Origin-Resource-Policy", "cross-origin"},
    {"Cache-Control", "public, max-age=3600"},
    {NULL, NULL},
};

/* Adds `to` as a document at `from` names it: ../a/b, in quotes. */
static enum err_code add_relative(struct buf *out, const char *from, const char *to,
                                  const char *end)
{
    size_t same = 0; /* bytes of the folders that both are in */
    enum err_code code = buf_add(out, "\"", 1);

    for (size_t i = 0; from[i] && from[i] == to[i]; i++)
        if (from[i] == '/')
            same = i + 1;
    for (const char *at = from + same; *at && !code; at++)
        if (*at == '/')
            code = buf_add(out, "../", 3);
    if (!code)
        code = buf_add(out, to + same, strlen(to + same));
    if (!code)
        code = buf_add(out, end, strlen(end));
    return code ? code : buf_add(out, "\"", 1);
}

/* Where a name stands in the script that the build made: it is there. */
static const char *find(const char *name)
{
    const char *at = memmem(asset_t_js.plain, asset_t_js.plain_len, name, strlen(name));

    assert(at);
    return at;
}

static enum err_code write_plain(struct buf *out, const char *tracker_path,
                                 const char *collect_path, const char *pixel_path)
{
    const char *collect = find(collect_name);
    const char *pixel = find(pixel_name);
    const char *end = asset_t_js.plain + asset_t_js.plain_len;
    enum err_code code =
        buf_add(out, asset_t_js.plain, (size_t)(collect - asset_t_js.plain));

    assert(collect < pixel);
    if (!code)
        code = add_relative(out, tracker_path, collect_path, "");
    collect += strlen(collect_name);
    if (!code)
        code = buf_add(out, collect, (size_t)(pixel - collect));
    if (!code)
        code = add_relative(out, collect_path, pixel_path, "?");
    pixel += strlen(pixel_name);
    return code ? code : buf_add(out, pixel, (size_t)(end - pixel));
}

static enum err_code write_gzip(const struct buf *plain, struct buf *out)
{
    z_stream stream = {.next_in = (Bytef *)plain->data, .avail_in = (uInt)plain->len};
    enum err_code code = buf_reserve(out, BYTES_MAX);
    int result;

    if (code)
        return code;
    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return ERR_NOMEM;
    stream.next_out = (Bytef *)out->data;
    stream.avail_out = BYTES_MAX;
    result = deflate(&stream, Z_FINISH);
    out->len = stream.total_out;
    (void)deflateEnd(&stream);      /* nothing to learn from it */
    assert(result == Z_STREAM_END); /* a script is longer than what is made of it */
    return ERR_OK;
}

static void set_asset(struct tracker *tracker)
{
    static const struct siphash_key key = {0, 0}; /* all processes give the same tag */

    (void)snprintf(tracker->etag, sizeof(tracker->etag), "\"%016" PRIx64 "\"",
                   siphash(&key, tracker->plain.data, tracker->plain.len));
    tracker->asset = asset_t_js;
    tracker->asset.etag = tracker->etag;
    tracker->asset.plain = tracker->plain.data;
    tracker->asset.plain_len = tracker->plain.len;
    tracker->asset.gzip = tracker->gzip.data;
    tracker->asset.gzip_len = tracker->gzip.len;
}

enum err_code tracker_new(const char *tracker_path, const char *collect_path,
                          const char *pixel_path, struct tracker **ret_tracker,
                          struct err *err)
{
    struct tracker *tracker = mem_calloc(1, sizeof(*tracker));
    enum err_code code;

    if (!tracker)
        return err_set(err, ERR_NOMEM, "out of memory");
    buf_init(&tracker->plain, BYTES_MAX);
    buf_init(&tracker->gzip, BYTES_MAX);
    code = write_plain(&tracker->plain, tracker_path, collect_path, pixel_path);
    if (!code)
        code = write_gzip(&tracker->plain, &tracker->gzip);
    if (code) {
        tracker_free(tracker);
        return err_set(err, code, "out of memory");
    }
    set_asset(tracker);
    *ret_tracker = tracker;
    return ERR_OK;
}

void tracker_free(struct tracker *tracker)
{
    if (!tracker)
        return;
    buf_release(&tracker->plain);
    buf_release(&tracker->gzip);
    mem_free(tracker);
}

void way_tracker(struct http_request *req, const struct tracker *tracker)
{
    http_answer_asset(req, &tracker->asset, headers);
}
