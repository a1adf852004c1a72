/* http_conf.c -- see http_conf.h. */
#include "shared/settings/http_conf.h"

#include <string.h>

#include "shared/access/peers.h"
#include "shared/daemon/daemon.h"

/* Without the setting nothing waits, and suspending is the library's own way. */
static bool is_suspending(const struct http_conf *conf)
{
    return !conf->request_wait || strcmp(conf->request_wait, "suspend") == 0;
}

struct http_options http_conf_options(const struct http_conf *conf)
{
    return (struct http_options){
        .host = conf->host,
        .port = (uint16_t)conf->port,
        .listener = http_health_others(conf->health_port),
        .suspends = is_suspending(conf),
        .max_connections = conf->max_connections,
        .max_head_bytes = conf->max_head_bytes,
        .idle_timeout_ms = conf->idle_timeout_ms,
        .header_timeout_ms = conf->header_timeout_ms,
        .body_timeout_ms = conf->body_timeout_ms,
        .write_timeout_ms = conf->write_timeout_ms,
    };
}

struct http_health_options http_conf_health(const struct http_conf *conf)
{
    return (struct http_health_options){
        .host = conf->health_host,
        .port = conf->health_port,
    };
}

int64_t http_conf_connections(const struct http_conf *conf, int64_t servers,
                              int64_t reserved)
{
    return daemon_fit_connections(conf->max_connections, servers,
                                  reserved + http_health_files(conf->health_port));
}

enum err_code http_conf_peers(const struct http_conf *conf, const struct networks *exempt,
                              struct http_peers **ret_peers, struct err *err)
{
    struct http_peers *peers = NULL;
    enum err_code code = ERR_OK;

    if (conf->max_connections_per_ip > 0)
        code = http_peers_new(conf->max_connections_per_ip, conf->max_connections, &peers,
                              err);
    if (code)
        return code;
    if (peers && exempt)
        http_peers_exempt(peers, exempt);
    *ret_peers = peers;
    return ERR_OK;
}
