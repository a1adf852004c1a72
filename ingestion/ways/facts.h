/* facts.h -- what a request tells of a visitor; see enrich.h. */
#ifndef INGESTION_WAYS_FACTS_H
#define INGESTION_WAYS_FACTS_H

struct http_request;
struct request_facts;
struct ways;

/* Of a page's request.  The texts live as long as the request is in its handler. */
void facts_read(const struct http_request *req, const struct ways *ways,
                struct request_facts *ret_facts);

#endif
