/* listen.c -- see listen.h. */
#include "shared/http/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const int on = 1;
static const int off = 0;

/* Returns the socket, or -1 with errno set. */
static int open_at(const struct addrinfo *at, bool shares_port)
{
    int fd = socket(at->ai_family, at->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                    at->ai_protocol);
    int saved;

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
        goto failed;
    if (shares_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0)
        goto failed;
    if (at->ai_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) != 0)
        goto failed;
    if (bind(fd, at->ai_addr, at->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0)
        goto failed;
    return fd;

failed:
    saved = errno;
    (void)close(fd); /* nothing was written to it */
    errno = saved;
    return -1;
}

enum err_code listen_open(const char *host, uint16_t port, bool shares_port, int *ret_fd,
                          struct err *err)
{
    bool everywhere = !host || host[0] == '\0';
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char service[8];
    int saved = EAFNOSUPPORT;
    int fd = -1;
    int status;

    (void)snprintf(service, sizeof(service), "%u", port);
    /* An IPv6 socket that takes IPv4 as well; without IPv6 in the kernel, IPv4. */
    status = getaddrinfo(everywhere ? "::" : host, service, &hints, &found);
    if (status)
        return err_set(err, ERR_CONFIG, "could not listen on host \"%s\": %s",
                       everywhere ? "" : host, gai_strerror(status));
    for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next) {
        fd = open_at(at, shares_port);
        saved = errno;
    }
    freeaddrinfo(found);
    if (fd < 0 && everywhere && (saved == EAFNOSUPPORT || saved == EADDRNOTAVAIL))
        return listen_open("0.0.0.0", port, shares_port, ret_fd, err);
    if (fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "could not listen on port %u: %s", port,
                       strerror(saved));
    *ret_fd = fd;
    return ERR_OK;
}

uint16_t listen_port(int fd)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);

    memset(&address, 0, sizeof(address));
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return 0;
    if (address.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)&address)->sin6_port);
    return ntohs(((const struct sockaddr_in *)&address)->sin_port);
}
