/* tracker.h -- GET /t.js: the script that pages load (ingestion/tracker/). */
#ifndef INGESTION_WAYS_TRACKER_H
#define INGESTION_WAYS_TRACKER_H

struct http_request;

void way_tracker(struct http_request *req);

#endif
