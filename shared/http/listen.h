/* listen.h -- a listening TCP socket. */
#ifndef SHARED_HTTP_LISTEN_H
#define SHARED_HTTP_LISTEN_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"

/* Binds and listens, non-blocking.  host "" or NULL is every address, IPv6 and IPv4 on one
 * socket where the machine has IPv6; port 0 lets the system choose.  The caller owns
 * *ret_fd: close().  ERR_UNAVAILABLE: `could not listen on port 3000: Address already in
 * use`. */
enum err_code listen_open(const char *host, uint16_t port, bool shares_port, int *ret_fd,
                          struct err *err) MUST_CHECK;

/* The port of a bound socket, 0 when it has none. */
uint16_t listen_port(int fd);

#endif
