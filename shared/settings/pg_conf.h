/* pg_conf.h -- the settings of a daemon that talks to Postgres.  As http_conf.h has it: a
 * member `pg` of the daemon's struct, and the rows by macro. */
#ifndef SHARED_SETTINGS_PG_CONF_H
#define SHARED_SETTINGS_PG_CONF_H

#include <stddef.h>
#include <stdint.h>

#include "shared/daemon/conf.h"
#include "shared/pg/conn.h"

struct pg_conf {
    char *url; /* owned, as every text here */
    char *url_file;
    int64_t connect_timeout_ms;
};

#define PG_CONF_URL(owner)                                                               \
    CONF_ROW("DATABASE_URL", CONF_URL, offsetof(owner, pg.url),                          \
             .initial = "postgresql://127.0.0.1:5432/analytics", .max = 4096,            \
             .help = "Postgres: a URL, or keyword=value words, as libpq takes them"),    \
        CONF_ROW("DATABASE_URL_FILE", CONF_TEXT, offsetof(owner, pg.url_file),           \
                 .initial = "", .max = 4096,                                             \
                 .help = "File whose first line is that URL, in place of DATABASE_URL")

#define PG_CONF_CONNECT(owner, timeout_initial)                                          \
    CONF_ROW("CONNECT_TIMEOUT_MS", CONF_INT, offsetof(owner, pg.connect_timeout_ms),     \
             .initial = (timeout_initial), .min = 50, .max = 60000,                      \
             .help = "Longest attempt to connect to Postgres, in ms")

/* What the settings say of a connection; the daemon fills in the rest. */
static inline struct pg_conn_options pg_conf_options(const struct pg_conf *conf)
{
    return (struct pg_conn_options){
        .url = conf->url,
        .connect_timeout_ms = conf->connect_timeout_ms,
    };
}

#endif
