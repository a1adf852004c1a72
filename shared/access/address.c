/* address.c -- see address.h. */
#include "shared/access/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "shared/text/words.h"

enum {
    TEXT_MAX = 64,    /* longer than any address */
    PORT_MAX = 32,    /* of a port with its colon */
    MAPPED_BITS = 96, /* in front of an IPv4 address */
    ADDRESS_BITS = 128,
};

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static struct address of_ipv4(const struct in_addr *in)
{
    struct address address;

    memcpy(address.bytes, mapped, sizeof(mapped));
    memcpy(address.bytes + sizeof(mapped), in, 4);
    return address;
}

bool address_is_v4(const struct address *address)
{
    return memcmp(address->bytes, mapped, sizeof(mapped)) == 0;
}

bool address_parse(const char *text, size_t len, struct address *ret_address)
{
    char copy[TEXT_MAX];
    struct in_addr in;

    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    if (len == 0 || len >= sizeof(copy))
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (inet_pton(AF_INET, copy, &in) == 1) {
        *ret_address = of_ipv4(&in);
        return true;
    }
    return inet_pton(AF_INET6, copy, ret_address->bytes) == 1;
}

/* ":443", or ":_a1" (RFC 7239 lets a proxy hide the port). */
static bool is_port(const char *text, size_t len)
{
    if (len < 2 || len > PORT_MAX || text[0] != ':')
        return false;
    if (text[1] == '_')
        return true;
    for (size_t i = 1; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
    }
    return true;
}

/* Up to the zone of a link-local address, which is a matter of the proxy's machine. */
static bool parse_without_zone(const char *text, size_t len, struct address *ret_address)
{
    const char *zone = memchr(text, '%', len);

    return address_parse(text, zone ? (size_t)(zone - text) : len, ret_address);
}

bool address_parse_node(const char *text, size_t len, struct address *ret_address)
{
    const char *end;

    if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
        text++;
        len -= 2;
    }
    if (len > 0 && text[0] == '[') {
        end = memchr(text, ']', len);
        if (!end)
            return false;
        end++;
        return (end == text + len || is_port(end, len - (size_t)(end - text))) &&
               parse_without_zone(text + 1, (size_t)(end - text) - 2, ret_address);
    }
    end = memchr(text, ':', len);
    if (end && is_port(end, len - (size_t)(end - text)))
        len = (size_t)(end - text);
    return parse_without_zone(text, len, ret_address);
}

bool address_of_socket(const struct sockaddr *socket, struct address *ret_address)
{
    if (socket->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, socket, sizeof(in));
        *ret_address = of_ipv4(&in.sin_addr);
        return true;
    }
    if (socket->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, socket, sizeof(in6));
        memcpy(ret_address->bytes, &in6.sin6_addr, sizeof(ret_address->bytes));
        return true;
    }
    return false;
}

static bool parse_network(const char *word, struct network *ret_network)
{
    size_t len = strcspn(word, "/");
    char *end = NULL;
    unsigned long prefix;
    unsigned long most;

    if (!address_parse(word, len, &ret_network->address))
        return false;
    most =
        address_is_v4(&ret_network->address) ? ADDRESS_BITS - MAPPED_BITS : ADDRESS_BITS;
    prefix = most;
    if (word[len] == '/') {
        if (word[len + 1] < '0' || word[len + 1] > '9')
            return false;
        prefix = strtoul(word + len + 1, &end, 10);
        if (*end || prefix > most)
            return false;
    }
    /* An IPv4 address is kept in its IPv6 form, with 96 bits in front. */
    ret_network->prefix = (unsigned)(prefix + ADDRESS_BITS - most);
    return true;
}

enum err_code networks_parse(const struct words *words, struct networks *ret_networks,
                             struct err *err)
{
    ret_networks->count = 0;
    if (words->count > NETWORKS_MAX)
        return err_set(err, ERR_CONFIG, "more than %d networks", NETWORKS_MAX);
    for (size_t i = 0; i < words->count; i++) {
        if (!parse_network(words->items[i], &ret_networks->items[i]))
            return err_set(err, ERR_CONFIG, "\"%s\" is not an address or a network",
                           words->items[i]);
        ret_networks->count++;
    }
    return ERR_OK;
}

static bool network_has(const struct network *network, const struct address *address)
{
    size_t whole = network->prefix / 8;
    unsigned rest = network->prefix % 8;
    unsigned mask = 0xffU << (8 - rest) & 0xffU;

    if (memcmp(network->address.bytes, address->bytes, whole) != 0)
        return false;
    return rest == 0 ||
           (network->address.bytes[whole] & mask) == (address->bytes[whole] & mask);
}

bool networks_have(const struct networks *networks, const struct address *address)
{
    for (size_t i = 0; i < networks->count; i++) {
        if (network_has(&networks->items[i], address))
            return true;
    }
    return false;
}

struct address address_of_site(const struct address *address)
{
    struct address site = *address;

    if (!address_is_v4(address))
        memset(site.bytes + 8, 0, 8);
    return site;
}

bool address_of_network(const struct address *address, struct address *ret_network)
{
    if (address_is_v4(address))
        return false;
    *ret_network = *address;
    memset(ret_network->bytes + 6, 0, 10);
    return true;
}
