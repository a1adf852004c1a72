/* tracker.c -- see tracker.h. */
#include "ingestion/ways/tracker.h"

#include <stddef.h>

#include "shared/http/asset.h"

/* Made by cmake/embed.cmake. */
extern const struct http_asset asset_t_js;

/* For every page, also one that loads only what says that it may be loaded; and kept for so
 * long that a new version is everywhere within the hour. */
static const struct http_header headers[] = {
    {"Access-Control-Allow-Origin", "*"},
    {"Cross-Origin-Resource-Policy", "cross-origin"},
    {"Cache-Control", "public, max-age=3600"},
    {NULL, NULL},
};

void way_tracker(struct http_request *req)
{
    http_answer_asset(req, &asset_t_js, headers);
}
