/* link.c -- see link.h. */
#include "shared/redis/link.h"

#include <string.h>
#include <sys/queue.h>

#include "shared/base/buf.h"
#include "shared/base/mem.h"
#include "shared/redis/reader.h"

enum {
    READ_BYTES = 65536,         /* read at a time */
    OUT_MAX = 64 * 1024 * 1024, /* commands queued in one turn; callers stop far below */
    REPLY_MAX = 1024 * 1024, /* an unfinished reply larger than this is a broken peer */
};

/* A command that was sent and not answered. */
struct pending {
    STAILQ_ENTRY(pending) entry;
    redis_uv_reply_fn fn;
    void *user;
    int64_t sent_ms;
};

STAILQ_HEAD(pending_list, pending);

struct redis_link {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } socket;
    uv_connect_t connect;
    struct redis_link_owner owner;
    bool is_unix;
    bool is_dropped;             /* closing: no callback may act on it any more */
    redisReader *reader;         /* owned */
    struct pending_list pending; /* owned; from the oldest */
    struct buf out;              /* commands not yet handed to the socket */
    char input[READ_BYTES];
};

/* Bytes that the socket did not take at once. */
struct leftover {
    uv_write_t request;
    size_t len;
    char bytes[];
};

/* --- life ------------------------------------------------------------------- */

static void on_link_closed(uv_handle_t *handle)
{
    struct redis_link *link = handle->data;
    struct redis_link_owner owner = link->owner;

    redisReaderFree(link->reader);
    buf_release(&link->out);
    mem_free(link);
    owner.on_closed(owner.user);
}

struct redis_link *redis_link_new(uv_loop_t *loop, bool is_unix,
                                  const struct redis_link_owner *owner)
{
    struct redis_link *link = mem_calloc(1, sizeof(*link));
    int status;

    if (!link)
        return NULL;
    STAILQ_INIT(&link->pending);
    buf_init(&link->out, OUT_MAX);
    link->owner = *owner;
    link->is_unix = is_unix;
    link->reader = redisReaderCreate();
    if (!link->reader)
        goto failed;
    redis_reader_bound(link->reader);
    link->reader->maxbuf = 0; /* keep its buffer instead of freeing it when idle */
    status = is_unix ? uv_pipe_init(loop, &link->socket.pipe, 0)
                     : uv_tcp_init(loop, &link->socket.tcp);
    if (status)
        goto failed;
    link->socket.handle.data = link;
    return link;

failed:
    if (link->reader)
        redisReaderFree(link->reader);
    mem_free(link);
    return NULL;
}

/* Tells everyone who waits that the outcome is unknown. */
static void fail_pending(struct redis_link *link)
{
    struct pending *pending;

    while ((pending = STAILQ_FIRST(&link->pending)) != NULL) {
        STAILQ_REMOVE_HEAD(&link->pending, entry);
        pending->fn(NULL, pending->user);
        mem_free(pending);
    }
}

void redis_link_drop(struct redis_link *link)
{
    link->is_dropped = true;
    uv_close(&link->socket.handle, on_link_closed);
    fail_pending(link);
}

static void pending_answer(struct redis_link *link, redisReply *reply)
{
    struct pending *pending = STAILQ_FIRST(&link->pending);

    STAILQ_REMOVE_HEAD(&link->pending, entry);
    pending->fn(reply, pending->user);
    mem_free(pending);
}

static void lost(struct redis_link *link, const char *reason)
{
    link->owner.on_lost(reason, link->owner.user);
}

/* --- reading ---------------------------------------------------------------- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct redis_link *link = handle->data;

    (void)suggested;
    *buf = uv_buf_init(link->input, sizeof(link->input));
}

/* Takes one reply from the reader; false when there is none (yet), or no link any more. */
static bool take_reply(struct redis_link *link)
{
    void *reply = NULL;

    if (link->is_dropped)
        return false;
    if (redisReaderGetReply(link->reader, &reply) != REDIS_OK) {
        lost(link, "Redis sent bytes that are not its protocol");
        return false;
    }
    if (!reply)
        return false;
    if (!STAILQ_EMPTY(&link->pending))
        pending_answer(link, reply);
    else
        lost(link, "Redis sent a reply that nobody asked for");
    freeReplyObject(reply);
    return true;
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct redis_link *link = stream->data;

    if (link->is_dropped || len == 0)
        return;
    if (len < 0) {
        lost(link, len == UV_EOF ? "Redis closed the connection" : uv_strerror((int)len));
        return;
    }
    if (redisReaderFeed(link->reader, buf->base, (size_t)len) != REDIS_OK) {
        lost(link, "out of memory");
        return;
    }
    while (take_reply(link)) {
    }
    if (!link->is_dropped && link->reader->len - link->reader->pos > REPLY_MAX)
        lost(link, "Redis sent a reply that is too large");
}

/* --- connecting ------------------------------------------------------------- */

static void on_connected(uv_connect_t *connect, int status)
{
    struct redis_link *link = connect->handle->data;

    if (link->is_dropped)
        return; /* at its deadline */
    if (!status && !link->is_unix)
        (void)uv_tcp_nodelay(&link->socket.tcp, 1); /* slower without, not wrong */
    if (!status)
        status = uv_read_start(&link->socket.stream, on_alloc, on_read);
    if (status)
        lost(link, uv_strerror(status));
    else
        link->owner.on_connected(link->owner.user);
}

int redis_link_connect(struct redis_link *link, const struct sockaddr *address)
{
    return uv_tcp_connect(&link->connect, &link->socket.tcp, address, on_connected);
}

void redis_link_connect_unix(struct redis_link *link, const char *path)
{
    uv_pipe_connect(&link->connect, &link->socket.pipe, path, on_connected);
}

/* --- writing ---------------------------------------------------------------- */

enum err_code redis_link_send(struct redis_link *link, const char *wire, size_t len,
                              redis_uv_reply_fn fn, void *user)
{
    struct pending *pending = mem_alloc(sizeof(*pending));
    enum err_code code;

    if (!pending)
        return ERR_NOMEM;
    code = buf_add(&link->out, wire, len);
    if (code) {
        mem_free(pending);
        return code;
    }
    *pending = (struct pending){
        .fn = fn, .user = user, .sent_ms = (int64_t)uv_now(link->socket.handle.loop)};
    STAILQ_INSERT_TAIL(&link->pending, pending, entry);
    return ERR_OK;
}

static void on_written(uv_write_t *request, int status)
{
    (void)status; /* a socket that cannot be written to shows itself to the reader */
    mem_free(request->data);
}

/* Leaves the bytes that the socket did not take to libuv. */
static void write_leftover(struct redis_link *link, const char *bytes, size_t len)
{
    struct leftover *left = mem_alloc(sizeof(*left) + len);
    uv_buf_t buf;

    if (left) {
        left->len = len;
        left->request.data = left;
        memcpy(left->bytes, bytes, len);
        buf = uv_buf_init(left->bytes, (unsigned)len);
        if (uv_write(&left->request, &link->socket.stream, &buf, 1, on_written) == 0)
            return;
        mem_free(left);
    }
    /* A stream with a hole in it is of no use.  Ageing the oldest command makes the next
     * tick drop the link, and everyone under way learns that the outcome is unknown. */
    STAILQ_FIRST(&link->pending)->sent_ms = 0;
}

void redis_link_flush(struct redis_link *link)
{
    uv_buf_t buf;
    int written;

    if (link->out.len == 0)
        return;
    buf = uv_buf_init(link->out.data, (unsigned)link->out.len);
    written = uv_try_write(&link->socket.stream, &buf, 1);
    if (written < 0)
        written = 0; /* not now, or an error that the reader will see */
    if ((size_t)written < link->out.len)
        write_leftover(link, link->out.data + written, link->out.len - (size_t)written);
    buf_clear(&link->out);
}

/* --- queries ---------------------------------------------------------------- */

int64_t redis_link_oldest_ms(const struct redis_link *link)
{
    const struct pending *oldest = STAILQ_FIRST(&link->pending);

    return oldest ? oldest->sent_ms : INT64_MAX;
}
