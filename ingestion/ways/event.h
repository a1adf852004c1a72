/* event.h -- POST /event: one event, as JSON. */
#ifndef INGESTION_WAYS_EVENT_H
#define INGESTION_WAYS_EVENT_H

struct http_request;
struct ways;

/* Answers the request, or has it wait until its event is safe. */
void way_event(struct http_request *req, struct ways *ways);

#endif
