/* loop.h -- one event loop of ingestion: its thread, its server, its Redis connection.
 *
 * Loops share the port (SO_REUSEPORT) and the directory of the spool, and nothing else, so
 * there are no locks between them on the way of an event to Redis.
 */
#ifndef INGESTION_LOOP_H
#define INGESTION_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"

struct access;
struct agents;
struct bot_names;
struct ingestion_conf;
struct http_peers;
struct ingestion_metrics;
struct loop; /* opaque */
struct redis_url;
struct salts;
struct arrivals;
struct tracker;
struct http_budget;
struct spool_files;
struct words;

struct loop_options {
    const struct ingestion_conf *conf; /* borrowed, as all of these */
    const struct redis_url *redis_url;
    struct access *access;
    struct http_peers *peers;          /* NULL: no limit for an address */
    struct spool_files *spool_dir;     /* NULL: no spool */
    const struct agents *agents;       /* of all loops */
    const struct bot_names *bot_names; /* likewise */
    const struct words *url_keys;      /* URL_QUERY_KEYS */
    struct salts *salts;               /* of all loops; the first one asks Redis */
    struct arrivals *arrivals;         /* of all loops */
    const struct tracker *tracker;     /* likewise */
    struct http_budget *body_budget;   /* of all loops */
    uint16_t port;                     /* the first loop's, when the system chose it */
    int64_t max_connections;           /* of this loop */
    bool has_health;                   /* this loop has the listener for health */
    struct ingestion_metrics *metrics; /* of all loops */
    size_t index;                      /* of this loop among them */
    /* All from the loop's thread.  Idle: everyone is answered and everything is closed, but
     * a question to the resolver may be open, and nobody can end that.  Ended: the last
     * act. */
    void (*on_idle)(void *user);
    void (*on_renewed)(void *user); /* after loop_renew() */
    void (*on_ended)(void *user);
    void *user;
};

/* Binds the port and starts the thread. */
enum err_code loop_start(const struct loop_options *options, struct loop **ret_loop,
                         struct err *err) MUST_CHECK;
uint16_t loop_port(const struct loop *loop);
uint16_t loop_health_port(const struct loop *loop); /* 0: it has no such listener */

/* Has the loop use this access from now on, which is borrowed.  Calls on_renewed, unless
 * the loop is stopping; call it again only after that.  From any thread. */
void loop_renew(struct loop *loop, struct access *access);

/* Asks the loop to answer what is under way and to end.  From any thread. */
void loop_stop(struct loop *loop);

/* Waits for the thread and frees the loop. */
void loop_join(struct loop *loop);

#endif
