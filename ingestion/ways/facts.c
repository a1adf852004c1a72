/* facts.c -- see facts.h. */
#include "ingestion/ways/facts.h"

#include <string.h>

#include "ingestion/access.h"
#include "ingestion/enrich/enrich.h"
#include "ingestion/ways/accept.h"
#include "shared/http/http.h"

/* The country that a proxy has found out, where it is trusted. */
static const char *country_of(const struct http_request *req, const struct ways *ways)
{
    return ways->country_header[0] &&
                   http_request_is_of(req, access_proxies(ways->access))
               ? http_request_header(req, ways->country_header)
               : NULL;
}

void facts_read(const struct http_request *req, const struct ways *ways,
                struct request_facts *ret_facts)
{
    const char *gpc = http_request_header(req, "Sec-GPC");
    const char *purpose = http_request_header(req, "Purpose");
    bool is_read = true;

    *ret_facts = (struct request_facts){
        .bots = access_bots(ways->access),
        .places = access_places(ways->access),
        .is_page = true,
        .user_agent = http_request_header(req, "User-Agent"),
        .accept_language = http_request_header(req, "Accept-Language"),
        .brands = http_request_header(req, "Sec-CH-UA"),
        .platform = http_request_header(req, "Sec-CH-UA-Platform"),
        .mobile = http_request_header(req, "Sec-CH-UA-Mobile"),
        .purpose = purpose ? purpose : http_request_header(req, "X-Purpose"),
        .sec_purpose = http_request_header(req, "Sec-Purpose"),
        .x_moz = http_request_header(req, "X-Moz"),
        .country = country_of(req, ways),
        .wants_no_visitor = ways->respects_gpc && gpc && strcmp(gpc, "1") == 0,
    };
    /* One that a proxy wrote and nobody can read leaves the proxy's, which is no visitor's. */
    ret_facts->has_address = http_request_client(req, access_proxies(ways->access),
                                                 &ret_facts->address, &is_read) &&
                             is_read;
}
