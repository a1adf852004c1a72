/* client.c -- where a request comes from; see http.h. */
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "shared/access/address.h"
#include "shared/access/forwarded.h"
#include "shared/http/internal.h"

enum {
    LIST_MAX = 8192 /* bytes of a list that are read, from its end */
};

static bool address_of_peer(const struct http_request *req, struct address *ret_address)
{
    const union MHD_ConnectionInfo *info =
        req->mhd ? MHD_get_connection_info(req->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
                 : NULL;

    return info && address_of_socket(info->client_addr, ret_address);
}

bool http_request_is_of(const struct http_request *req, const struct networks *networks)
{
    struct address peer;

    return address_of_peer(req, &peer) && networks_have(networks, &peer);
}

static bool is_loopback(const struct address *address)
{
    static const struct networks loopback = {
        .count = 2,
        .items = {{{{[10] = 0xff, [11] = 0xff, [12] = 127}}, 104}, {{{[15] = 1}}, 128}},
    };

    return networks_have(&loopback, address);
}

bool http_request_is_loopback(const struct http_request *req)
{
    const union MHD_ConnectionInfo *info =
        req->mhd ? MHD_get_connection_info(req->mhd, MHD_CONNECTION_INFO_CONNECTION_FD)
                 : NULL;
    struct sockaddr_storage own;
    socklen_t len = sizeof(own);
    struct address address;

    return info && getsockname(info->connect_fd, (struct sockaddr *)&own, &len) == 0 &&
           address_of_socket((const struct sockaddr *)&own, &address) &&
           is_loopback(&address);
}

/* --- the lists of proxies ------------------------------------------------------------ */

struct list {
    const char *name;
    size_t len;
    bool is_cut; /* what comes first is not there */
    char bytes[LIST_MAX];
};

/* Appends the bytes, and forgets the first ones when there are too many. */
static void append(struct list *list, const char *bytes, size_t len)
{
    size_t keep = list->len;

    if (len >= LIST_MAX) {
        list->is_cut = list->is_cut || len > LIST_MAX || list->len > 0;
        bytes += len - LIST_MAX;
        len = LIST_MAX;
        keep = 0;
    } else if (list->len + len > LIST_MAX) {
        list->is_cut = true;
        keep = LIST_MAX - len;
    }
    memmove(list->bytes, list->bytes + list->len - keep, keep);
    memcpy(list->bytes + keep, bytes, len);
    list->len = keep + len;
}

static void append_values(struct list *list, const struct http_raw_head *head)
{
    size_t at = 0;
    const char *value;
    const char *name;

    for (name = http_raw_field(head, &at, &value); name;
         name = http_raw_field(head, &at, &value)) {
        if (strcasecmp(name, list->name) != 0)
            continue;
        if (list->len > 0)
            append(list, ",", 1);
        append(list, value, strlen(value));
    }
}

/* A proxy may add a header line of its own below one that the client has made up, so all of
 * them count, from the last one on. */
static struct forwarded list_of(const struct http_request *req, enum forwarded_form form,
                                struct list *list)
{
    const struct http_raw_head *head = http_raw_current(&req->raw);
    const char *start = list->bytes;
    const char *comma;

    list->name = form == FORWARDED_LIST ? "X-Forwarded-For" : "Forwarded";
    list->len = 0;
    list->is_cut = false;
    if (head)
        append_values(list, head);
    if (list->is_cut) { /* in the middle of an entry, perhaps */
        comma = memchr(list->bytes, ',', list->len);
        start = comma ? comma + 1 : list->bytes + list->len;
    }
    return (struct forwarded){form, start, list->len - (size_t)(start - list->bytes)};
}

/* A proxy writes one of the two headers and may pass the other one on as the client has made
 * it up, and we cannot know which.  So where they disagree neither is believed: the client
 * then counts as the proxy, and shares the proxy's rate limit. */
static struct address address_by(const struct http_request *req,
                                 const struct address *peer,
                                 const struct networks *trusted, bool *ret_is_read)
{
    struct list list;
    struct forwarded known = list_of(req, FORWARDED_LIST, &list);
    struct address client = forwarded_client(&known, peer, trusted, ret_is_read);
    bool has_list = known.len > 0;
    bool is_read = true;
    struct address other;

    known = list_of(req, FORWARDED_PAIRS, &list);
    if (known.len == 0)
        return client;
    other = forwarded_client(&known, peer, trusted, &is_read);
    if (has_list && (!*ret_is_read || !is_read ||
                     memcmp(client.bytes, other.bytes, sizeof(other.bytes)) != 0)) {
        *ret_is_read = false;
        return *peer;
    }
    *ret_is_read = is_read;
    return other;
}

bool http_request_client(const struct http_request *req, const struct networks *trusted,
                         struct address *ret_client, bool *ret_is_read)
{
    struct address peer;

    *ret_is_read = true;
    if (!address_of_peer(req, &peer))
        return false;
    *ret_client = peer;
    if (networks_have(trusted, &peer))
        *ret_client = address_by(req, &peer, trusted, ret_is_read);
    if (!*ret_is_read)
        metric_add(&req->server->metrics->unread_clients, 1);
    return true;
}
