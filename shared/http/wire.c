/* wire.c -- what libmicrohttpd reads, and what it is shown; see internal.h.
 *
 * libmicrohttpd parses what it has read itself, and before any of our code sees it: 0.9.75
 * answers a malformed length with a head that comes twice, 1.0 answers blanks in a target
 * with a redirect made of the client's bytes; one unfolds headers, the other ends a chunk
 * line at a bare LF; and each of them keeps a head in the same few kilobytes in which it
 * builds the answer.  Neither has a hook in front of its parser.
 *
 * But it reads by recv(), and a shared library takes that from the executable if that has
 * one: so recv.c defines recv() for the whole program, as http_wire_read().  For the
 * descriptors of our connections, while MHD_run() is under way in this thread, what comes
 * goes through the parser of raw.c first.  For everybody else (hiredis, libpq) it is
 * recvfrom() with no address, which is what recv() is in the kernel, too.
 *
 * http_wire_check() makes sure at the start that it is in effect.
 *
 * Sockets are edge-triggered in libmicrohttpd's epoll, and it takes fewer bytes than it
 * asked for as the sign that there are no more.  So less than that is returned only when
 * the kernel has no more, however much the parser has made of it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "shared/base/mem.h"
#include "shared/http/internal.h"
#include "shared/http/wire.h"

enum {
    PIECE_BYTES = 8192,
    DISCARD_PIECES = 32, /* of what comes after a refused request */
    FDS_STEP = 64
};

static _Thread_local struct http_server *running;
static _Thread_local bool was_asked; /* for no descriptor, see http_wire_check() */

static ssize_t read_socket(int fd, void *bytes, size_t len, int flags)
{
    return recvfrom(fd, bytes, len, flags, NULL, NULL);
}

/* One read from the socket.  Returns what recv() does; *ret_made: bytes for libmicrohttpd. */
static ssize_t read_piece(struct http_request *req, char *out, size_t cap, int flags,
                          size_t *ret_made, bool *ret_is_all)
{
    char piece[PIECE_BYTES];
    size_t want = cap < sizeof(piece) ? cap : sizeof(piece);
    ssize_t got;

    if (http_raw_plain(&req->raw) >= cap) {
        got = read_socket(req->fd, out, cap, flags);
        if (got > 0) {
            http_raw_pass(&req->raw, (size_t)got);
            *ret_made = (size_t)got;
            *ret_is_all = (size_t)got < cap;
        }
        return got;
    }
    got = read_socket(req->fd, piece, want, flags);
    if (got > 0) {
        *ret_made = http_raw_feed(&req->raw, piece, (size_t)got, out, cap);
        *ret_is_all = (size_t)got < want;
    }
    return got;
}

/* What a refused request still sends is read, so that the client reads its answer instead
 * of a reset. */
static void discard(const struct http_request *req)
{
    char piece[PIECE_BYTES];

    for (int i = 0; i < DISCARD_PIECES; i++) {
        if (read_socket(req->fd, piece, sizeof(piece), MSG_DONTWAIT) <= 0)
            return;
    }
}

/* A head that has begun has its deadline from its first byte on. */
static void note_phase(struct http_request *req)
{
    if (req->phase == PHASE_IDLE && http_raw_is_in_head(&req->raw))
        http_conn_enter(req, PHASE_HEADERS);
}

static ssize_t read_request(struct http_request *req, char *out, size_t cap, int flags)
{
    size_t len = http_raw_flush(&req->raw, out, cap);
    bool is_all = false;

    while (len < cap && !is_all && req->raw.state != RAW_REFUSED) {
        size_t made = 0;
        ssize_t got = read_piece(req, out + len, cap - len, flags, &made, &is_all);
        if (got <= 0 && len == 0)
            return got;
        if (got <= 0)
            break; /* it will say so again */
        len += made;
    }
    note_phase(req);
    if (req->raw.state == RAW_REFUSED)
        discard(req);
    if (len)
        return (ssize_t)len;
    errno = EAGAIN;
    return -1;
}

ssize_t http_wire_read(int fd, void *bytes, size_t len, int flags)
{
    struct http_request *req = running && fd >= 0 ? http_wire_find(running, fd) : NULL;

    if (fd < 0) {
        was_asked = true;
        errno = EBADF;
        return -1;
    }
    if (!req || len == 0)
        return read_socket(fd, bytes, len, flags);
    if (req->is_cut)
        return 0; /* it has had its last answer */
    return read_request(req, bytes, len, flags);
}

void http_wire_run(struct http_server *server)
{
    running = server;
    (void)MHD_run(server->daemon); /* fails only when there is nothing to run */
    running = NULL;
}

enum err_code http_wire_check(struct err *err)
{
    union {
        void *object;
        ssize_t (*function)(int fd, void *bytes, size_t len, int flags);
    } found = {.object = dlsym(RTLD_DEFAULT, "recv")}; /* as libmicrohttpd finds it */
    char byte;

    was_asked = false;
    if (found.object)
        (void)found.function(-1, &byte, sizeof(byte), 0); /* fails, wherever it gets */
    if (was_asked)
        return ERR_OK;
    return err_set(err, ERR_BUG, "the program's recv() is not its own");
}

/* --- the connection of a descriptor ----------------------------------------------- */

struct http_request *http_wire_find(const struct http_server *server, int fd)
{
    return (size_t)fd < server->fds_len ? server->fds[fd] : NULL;
}

bool http_wire_add(struct http_server *server, struct http_request *req)
{
    size_t at = (size_t)req->fd;
    size_t len = server->fds_len;

    if (at >= len) {
        size_t wanted = (at > 2 * len ? at : 2 * len) + FDS_STEP;
        struct http_request **fds =
            mem_realloc(server->fds, wanted * sizeof(struct http_request *));
        if (!fds)
            return false;
        memset(fds + len, 0, (wanted - len) * sizeof(struct http_request *));
        server->fds = fds;
        server->fds_len = wanted;
    }
    server->fds[at] = req;
    return true;
}

void http_wire_remove(struct http_server *server, const struct http_request *req)
{
    server->fds[req->fd] = NULL;
}
