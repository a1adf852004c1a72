/* address.h -- IP addresses: of a client, and the networks of trusted proxies.
 *
 * IPv4 addresses are kept in their IPv6-mapped form, so there is one kind.  Pure.
 */
#ifndef SHARED_ACCESS_ADDRESS_H
#define SHARED_ACCESS_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"

struct sockaddr;
struct words;

struct address {
    uint8_t bytes[16];
};

struct network {
    struct address address;
    unsigned prefix; /* bits, of 128 */
};

enum {
    NETWORKS_MAX = 64
};

struct networks {
    size_t count;
    struct network items[NETWORKS_MAX];
};

/* Reads "192.0.2.1" or "2001:db8::1" (in brackets or not), not NUL-terminated.  False when
 * it is neither. */
bool address_parse(const char *text, size_t len, struct address *ret_address);

/* Reads an address as proxies write it: with a port or without, an IPv6 one with brackets or
 * without, in quotes or not. */
bool address_parse_node(const char *text, size_t len, struct address *ret_address);

/* Whether it is an IPv4 address, in its IPv6 form. */
bool address_is_v4(const struct address *address);

/* The address of a connection; false when it is not of the Internet. */
bool address_of_socket(const struct sockaddr *socket, struct address *ret_address);

/* Reads a list of addresses and networks such as 10.0.0.0/8.  ERR_CONFIG names the word. */
enum err_code networks_parse(const struct words *words, struct networks *ret_networks,
                             struct err *err) MUST_CHECK;
bool networks_have(const struct networks *networks, const struct address *address);

/* Zeroes what one client may vary at will: the lower 64 bits of an IPv6 address. */
struct address address_of_site(const struct address *address);

/* The /48 of an IPv6 address, which is what a provider gives to one customer; false for an
 * IPv4 address. */
bool address_of_network(const struct address *address, struct address *ret_network);

#endif
