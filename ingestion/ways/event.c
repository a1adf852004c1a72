/* event.c -- see event.h.  Top down: the body, its rules, its place in the group. */
#include "ingestion/ways/event.h"

#include <stddef.h>

#include "ingestion/commit/committer.h"
#include "ingestion/enrich/enrich.h"
#include "ingestion/ways/accept.h"
#include "shared/event/event.h"
#include "shared/http/http.h"

void way_event(struct http_request *req, struct ways *ways)
{
    struct event event;
    struct err err = {.code = ERR_OK};
    enum err_code code;
    unsigned status;
    size_t len;
    const char *body = http_request_body(req, &len);

    code = event_parse(ways->parser, body, len, &event, &err);
    if (code) {
        accept_reject(ways, req, code, &err);
        return;
    }
    enricher_clear(ways->enricher);
    status = accept_enrich(ways, req, &event, &err);
    if (!status)
        status = accept_judge(ways, &event, &err);
    if (status) {
        http_answer_error(req, status, err.msg);
        return;
    }
    code = committer_push(ways->committer, &event, req);
    if (code)
        accept_reject(ways, req, code, &err);
}
