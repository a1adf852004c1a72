/* wire.h -- what libmicrohttpd reads; see wire.c. */
#ifndef SHARED_HTTP_WIRE_H
#define SHARED_HTTP_WIRE_H

#include <stddef.h>
#include <sys/types.h>

/* recv() for the whole program. */
ssize_t http_wire_read(int fd, void *bytes, size_t len, int flags);

#endif
