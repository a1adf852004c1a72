/* guard_conf.c -- see guard_conf.h. */
#include "shared/settings/guard_conf.h"

#include "shared/base/log.h"

static void on_unreadable(void)
{
    log_line(LOG_WARN, "a trusted proxy wrote a client address that cannot be read",
             NULL);
}

struct guard_options guard_conf_options(const struct guard_conf *conf)
{
    return (struct guard_options){
        .trusted_proxies = conf->trusted_proxies,
        .per_address = conf->per_ip,
        .per_network = conf->per_network,
        .burst_seconds = conf->burst_seconds,
        .max_keys = conf->max_keys,
        .wrong_keys = conf->wrong_keys,
        .on_unreadable = on_unreadable,
    };
}
