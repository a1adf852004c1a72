/* tracker.c -- see tracker.h. */
#include "ingestion/ways/tracker.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/base/mem.h"
#include "shared/http/asset.h"

enum {
    BYTES_MAX = 65536 /* of the script */
};

struct tracker {
    struct http_made_asset made;
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

enum err_code tracker_new(const char *tracker_path, const char *collect_path,
                          const char *pixel_path, struct tracker **ret_tracker,
                          struct err *err)
{
    struct tracker *tracker = mem_calloc(1, sizeof(*tracker));
    enum err_code code;

    if (!tracker)
        return err_set(err, ERR_NOMEM, "out of memory");
    http_made_asset_init(&tracker->made, BYTES_MAX);
    code = write_plain(&tracker->made.plain, tracker_path, collect_path, pixel_path);
    if (!code)
        code = http_made_asset_finish(&tracker->made, asset_t_js.name,
                                      asset_t_js.content_type);
    if (code) {
        tracker_free(tracker);
        return err_set(err, code, "out of memory");
    }
    *ret_tracker = tracker;
    return ERR_OK;
}

void tracker_free(struct tracker *tracker)
{
    if (!tracker)
        return;
    http_made_asset_release(&tracker->made);
    mem_free(tracker);
}

void way_tracker(struct http_request *req, const struct tracker *tracker)
{
    http_answer_asset(req, &tracker->made.asset, headers);
}
