/* render.c -- see render.h. */
#include "reporting/report/render.h"

#include <inttypes.h>
#include <string.h>

#include "reporting/report/stats.h"
#include "shared/base/buf.h"
#include "shared/text/json.h"

static enum err_code add_text(struct buf *out, const char *key, const char *bytes,
                              size_t len)
{
    enum err_code code = buf_add_text(out, key);

    return code ? code : json_add_string(out, bytes, len);
}

static enum err_code add_path(struct buf *out, const struct stats_path *path)
{
    enum err_code code = add_text(out, "{\"path\":", path->path, path->len);

    return code ? code : buf_printf(out, ",\"views\":%" PRId64 "}", path->views);
}

static enum err_code add_paths(struct buf *out, const struct stats *stats)
{
    enum err_code code = buf_add_text(out, ",\"top_paths\":[");

    for (size_t i = 0; i < stats->path_count && !code; i++) {
        if (i)
            code = buf_add_text(out, ",");
        if (!code)
            code = add_path(out, &stats->paths[i]);
    }
    return code ? code : buf_add_text(out, "]}");
}

enum err_code render_stats(const char *site_id, const char *date,
                           const struct stats *stats, struct buf *out)
{
    enum err_code code = add_text(out, "{\"site_id\":", site_id, strlen(site_id));

    if (!code && date)
        code = add_text(out, ",\"date\":", date, strlen(date));
    else if (!code)
        code = buf_add_text(out, ",\"date\":null");
    if (!code)
        code = buf_printf(out, ",\"total_views\":%" PRId64 ",\"unique_users\":%" PRId64,
                          stats->total_views, stats->unique_users);
    return code ? code : add_paths(out, stats);
}
