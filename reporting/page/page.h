/* page.h -- the dashboard: one page with its script and its style, compiled in.
 *
 * The page asks the same routes as everybody else and has no figures of its own, so that
 * anybody may load it; whoever needs a token is asked for it by the page.  Its script and
 * style have names made of their bytes, which are kept for good.
 */
#ifndef REPORTING_PAGE_PAGE_H
#define REPORTING_PAGE_PAGE_H

#include "shared/base/err.h"

struct http_request;
struct page; /* opaque */

/* ingestion_url: where the sites' pages send events to, for the line that is to be pasted;
 * "": the same host at port 3000.  ERR_NOMEM. */
enum err_code page_new(const char *ingestion_url, struct page **ret_page) MUST_CHECK;
void page_free(struct page *page);

/* GET / and GET /site/<site_id>: the page itself. */
void page_answer_root(const struct page *page, struct http_request *req);
void page_answer_site(const struct page *page, struct http_request *req);

/* GET /page/<name>: its script and its style. */
void page_answer_file(struct http_request *req);

#endif
