/* asset.h -- files that are compiled into a daemon (cmake/embed.cmake), and their answers.
 *
 * An asset has its bytes plain and compressed, and an entity tag made of them.  What is
 * asked for with that tag is answered 304.
 */
#ifndef SHARED_HTTP_ASSET_H
#define SHARED_HTTP_ASSET_H

#include <stddef.h>

#include "shared/base/buf.h"
#include "shared/http/http.h"

struct http_asset {
    const char *name;         /* of the file: "page.js" */
    const char *hash;         /* of its bytes, in hex: for names that never change */
    const char *etag;         /* the same, quoted; NULL: it is not to be kept */
    const char *content_type; /* by the name's ending */
    const char *plain;
    size_t plain_len;
    const char *gzip; /* NULL: there is none */
    size_t gzip_len;
};

/* An asset whose bytes are made at the start: init, fill `plain`, finish. */
struct http_made_asset {
    struct http_asset asset;
    struct buf plain; /* owned, as `gzip` */
    struct buf gzip;
    char etag[24]; /* quoted, 16 digits */
};

void http_made_asset_init(struct http_made_asset *made, size_t max_bytes);
void http_made_asset_release(struct http_made_asset *made);

/* Compresses the bytes and makes their tag, which is the same in all processes.  Both texts
 * are static.  ERR_NOMEM. */
enum err_code http_made_asset_finish(struct http_made_asset *made, const char *name,
                                     const char *content_type) MUST_CHECK;

/* Answers with the asset, whose bytes must outlive the server; compressed where the client
 * takes that.  The headers come on top of those that say what it is; a NULL name ends
 * them. */
void http_answer_asset(struct http_request *req, const struct http_asset *asset,
                       const struct http_header *headers);

#endif
