/* collect.h -- POST /collect and GET /pixel.gif: what pages send.
 *
 * Little of it is refused.  An event without a timestamp has the server's; one whose timestamp
 * lies more than five minutes ahead or a day back gets it, too, and is counted.  What can be
 * derived of the request is (enrich.h), and bots are dropped, which the answer says.
 */
#ifndef INGESTION_WAYS_COLLECT_H
#define INGESTION_WAYS_COLLECT_H

struct http_request;
struct ways;

enum {
    WAY_COLLECT_EVENTS = 50 /* of one request at most; then 413 */
};

/* Both answer the request, or have it wait until its events are safe. */
void way_collect(struct http_request *req, struct ways *ways);
void way_pixel(struct http_request *req, struct ways *ways);

/* What way_pixel() answers: the image. */
void way_pixel_answer(struct http_request *req);

#endif
