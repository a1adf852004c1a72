/* internal.h -- what the files of shared/http share; nobody else includes it.
 *
 *   server.c   the daemon on the loop: listening, turns, stopping
 *   conn.c     connections and their deadlines
 *   request.c  one request, from its first header to its answer
 *   room.c     who gives way when there are too many connections
 *   wait.c     the two ways in which a request can wait
 *   answer.c   answers
 *   stream.c   answers that are made while they are sent
 *   cors.c     the headers for pages of other origins
 *   client.c   where a request comes from
 *   rescue.c   answers that libmicrohttpd cannot send any more, or not yet
 *   wire.c     what libmicrohttpd reads: recv(), through the parser of raw.c
 *
 * Pure, in shared/wire: raw.c, the bytes; head.c, the headers' verdict; body.c, the body.
 */
#ifndef SHARED_HTTP_INTERNAL_H
#define SHARED_HTTP_INTERNAL_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "shared/base/buf.h"
#include "shared/http/http.h"
#include "shared/http/metrics.h"
#include "shared/wire/body.h"
#include "shared/wire/head.h"
#include "shared/wire/raw.h"

/* How far the current request has come, for the one handler that MHD calls again and
 * again. */
enum http_step {
    STEP_HEADERS, /* next call is the first */
    STEP_BODY,    /* pieces of the body, then the end */
    STEP_HANDLER, /* inside the route's handler */
    STEP_WAITING, /* the handler has kept the request */
    STEP_ANSWERED /* an answer is queued with MHD */
};

/* One connection and the one request it has at a time. */
struct http_request {
    struct http_server *server;      /* NULL once the connection is gone */
    struct MHD_Connection *mhd;      /* NULL once the connection is gone */
    int fd;                          /* of the connection */
    bool is_cut;                     /* nothing more is read from it */
    bool is_leaving;                 /* cut, but not gone yet */
    struct http_raw raw;             /* what has come on it */
    TAILQ_ENTRY(http_request) entry; /* in the list of its phase */
    struct http_peer *peer;          /* of options.peers; NULL: not counted there */
    int64_t deadline_ms;
    enum http_phase phase;
    enum http_step step;

    const char *path;               /* of a route, or NULL when none has it */
    const struct http_route *route; /* NULL: refused or unknown */
    struct buf query;               /* NUL-terminated once there is one */
    struct http_head head;
    struct http_body body;
    int64_t drained_bytes; /* thrown away of a refused body */
    bool is_held;          /* http_wait() was called, no answer yet */
    bool is_suspended;     /* MHD has it suspended */
    bool must_close;       /* the answer ends the connection */

    unsigned status;               /* of the answer; 0: none yet */
    struct MHD_Response *response; /* until it is sent; owned unless it is shared */
    bool shares_response;          /* it is one of the server's prepared ones */
    const char *answer_body;       /* of that response, to be read while it lives */
    size_t answer_len;
    struct http_flow *flow; /* of a stream; borrowed from the response */
    bool is_head;           /* HEAD: the answer has no body */
    bool is_answered; /* without libmicrohttpd, see rescue.c: it only has to close */
};

/* What the prepared answers of 200 differ in. */
enum {
    HTTP_OK_CLOSES = 1,
    HTTP_OK_PRIVATE = 2,
    HTTP_OK_COUNT = 4
};

TAILQ_HEAD(http_list, http_request); /* the oldest first */

struct http_server {
    struct http_options options;
    struct http_metrics *metrics; /* the options', or uncounted */
    struct http_metrics uncounted;
    struct MHD_Daemon *daemon;
    int listen_fd; /* -1 once closed */
    uint16_t port;

    uv_loop_t *loop;  /* borrowed */
    uv_poll_t poll;   /* on MHD's epoll descriptor */
    uv_timer_t again; /* MHD has more to do and nobody will wake us */
    uv_timer_t tick;  /* deadlines */
    uv_check_t check; /* after each poll: answers to send? */
    int open_handles; /* of the four above */

    bool has_woken;     /* an answer is ready for a request that waits */
    bool accepts_again; /* a connection ended: there may be room for one that waits */
    uint64_t progress;  /* counts callbacks that moved a request on */
    size_t connections;
    size_t leaving; /* of them */
    size_t waiting; /* requests held by handlers */
    struct http_list phases[PHASE_COUNT];
    int64_t noticed_ms; /* when http_conn_notice_ends() was called last */
    struct MHD_Response *ok[HTTP_OK_COUNT]; /* prepared */
    struct http_request **fds; /* the connection of each descriptor, or NULL; owned */
    size_t fds_len;
    const struct http_request *queued; /* gave MHD its answer in the last callback */

    bool is_stopping;
    bool has_stopped_daemon;
    int64_t stop_idle_ms;  /* idle connections are cut then */
    int64_t stop_limit_ms; /* everybody is cut then */
    void (*on_stopped)(void *user);
    void *stopped_user;
};

/* server.c */
void http_server_wake(struct http_server *server); /* run MHD at the end of this turn */
bool http_server_is_over(const struct http_server *server); /* its grace has passed */

/* conn.c */
void http_conn_enter(struct http_request *req, enum http_phase phase);
void http_conn_expire(struct http_server *server, int64_t now_ms);
/* Has libmicrohttpd look at those whose client has ended what it sends. */
void http_conn_notice_ends(struct http_server *server, int64_t now_ms);
void http_conn_cut(struct http_request *req);
void http_conn_cut_idle(struct http_server *server);
void http_conn_on_notify(void *user, struct MHD_Connection *mhd, void **socket_context,
                         enum MHD_ConnectionNotificationCode code);
struct http_request *http_conn_of(struct MHD_Connection *mhd);
void http_conn_free(struct http_request *req);

/* room.c */
void http_room_enter(struct http_request *req); /* a new connection */
void http_room_leave(struct http_request *req); /* it is gone */
void http_room_make(struct http_server *server);

/* request.c */
void *http_request_on_target(void *user, const char *target, struct MHD_Connection *mhd);
enum MHD_Result http_request_on_access(void *user, struct MHD_Connection *mhd,
                                       const char *url, const char *method,
                                       const char *version, const char *upload,
                                       size_t *upload_len, void **context);
void http_request_refuse_body(struct http_request *req); /* by what body.c says */
void http_request_on_completed(void *user, struct MHD_Connection *mhd, void **context,
                               enum MHD_RequestTerminationCode code);

/* wait.c */
void http_wait_begin(struct http_request *req);
void http_wait_end(struct http_request *req);
bool http_wait_is_polled(const struct http_server *server);

/* rescue.c */
/* Sends the answer that req has; true when it is on its way. */
bool http_rescue(const struct http_request *req);
/* Sends the answer at once, while the rest of the request is still to come and will be
 * thrown away.  False: it could not be sent, and stays. */
bool http_rescue_early(struct http_request *req);
/* The deadline has passed: sends the answer that there is, else 408. */
void http_rescue_late(struct http_request *req);

/* wire.c.  A connection is known to it by its descriptor from http_wire_add() to
 * http_wire_remove(); false: no memory. */
enum err_code http_wire_check(struct err *err) MUST_CHECK;
void http_wire_run(struct http_server *server); /* MHD_run() */
struct http_request *http_wire_find(const struct http_server *server, int fd);
bool http_wire_add(struct http_server *server, struct http_request *req) MUST_CHECK;
void http_wire_remove(struct http_server *server, const struct http_request *req);

/* stream.c */
void http_stream_fail(struct http_request *req); /* ends it in the middle */
void http_stream_drop(struct http_request *req); /* its response is over; none is fine */

/* cors.c */
bool http_cors_is_on(const struct http_server *server, const struct http_route *route);
bool http_cors_add(const struct http_request *req, struct MHD_Response *response);
bool http_cors_add_preflight(const struct http_request *req,
                             struct MHD_Response *response, const char *methods);
bool http_cors_is_plain(const struct http_request *req); /* as the prepared answers */

/* answer.c */
/* An answer on its way to its request. */
struct answer {
    unsigned status;
    struct MHD_Response *response; /* NULL: memory ran out */
    bool is_shared;                /* response is one of the server's */
    const char *body;              /* the response's */
    size_t body_len;
    struct http_flow *flow; /* of a stream; the response's */
};
/* A response of bytes that outlive it; NULL: no memory. */
struct MHD_Response *http_answer_static(const char *body, size_t len);
void http_answer_forget(struct answer *answer); /* its response: a header did not fit */
/* Adds the headers that every answer has and gives it to req. */
void http_answer_finish(struct http_request *req, struct answer *answer,
                        const char *content_type);
/* The same with headers, up to a NULL name, on top; NULL: none. */
void http_answer_with(struct http_request *req, struct answer *answer,
                      const char *content_type, const struct http_header *headers);
bool http_answer_add(struct MHD_Response *response, const char *name, const char *value);
void http_answer_allow(struct http_request *req, unsigned status, const char *allow);
void http_answer_preflight(struct http_request *req, const char *methods);
void http_answer_refuse(struct http_request *req, enum http_refusal why, unsigned status,
                        const char *sentence);
void http_answer_force(struct http_request *req); /* 503, its holder answers later */
void http_answer_drop(struct http_request *req);  /* an answer that is over */
enum err_code http_answer_prepare(struct http_server *server, struct err *err) MUST_CHECK;
void http_answer_release(struct http_server *server);
enum MHD_Result http_answer_queue(struct http_request *req);

#endif
