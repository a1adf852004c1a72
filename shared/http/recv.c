/* recv.c -- the program's own recv(), through which libmicrohttpd reads; see wire.c.
 *
 * A shared library takes a function from the executable if that has one of the name.  So
 * this file is linked into each program that has an HTTP server, and is in no archive:
 * there it would get into every program that reads from a socket.
 */
#include <sys/types.h>

#include "shared/http/wire.h"

/* Under this name because a definition of recv() in C would meet the inline function that
 * _FORTIFY_SOURCE makes of it. */
ssize_t program_recv(int fd, void *bytes, size_t len, int flags) __asm__("recv");

ssize_t program_recv(int fd, void *bytes, size_t len, int flags)
{
    return http_wire_read(fd, bytes, len, flags);
}
