/* main.c -- the reporting daemon: settings, log, run. */
#include <stdio.h>
#include <stdlib.h>

#include "reporting/app.h"
#include "reporting/conf.h"
#include "reporting/share_key.h"
#include "shared/access/secret.h"
#include "shared/base/buf.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"
#include "shared/daemon/conf.h"
#include "shared/daemon/daemon.h"
#include "shared/http/health.h"
#include "shared/pg/conn.h"

enum {
    LINK_BYTES_MAX = 8192
};

/* Prints a link whose key reads the figures of one site. */
static enum err_code share(const struct reporting_conf *conf, struct err *err)
{
    char *token = NULL;
    char base[sizeof("http://localhost:65535")];
    struct buf link;
    enum err_code code = secret_load(conf->token, conf->token_file, &token, err);

    (void)snprintf(base, sizeof(base), "http://localhost:%d", (int)conf->http.port);
    buf_init(&link, LINK_BYTES_MAX);
    if (!code)
        code = share_add_link(token, conf->url[0] ? conf->url : base, conf->share, &link,
                              err);
    if (!code)
        (void)printf("%.*s\n", (int)link.len, link.data);
    buf_release(&link);
    mem_free(token);
    return code;
}

static int run(const struct reporting_conf *conf, const struct conf_source *source)
{
    struct err err;

    daemon_start_log("reporting", conf->log_level);
    daemon_warn_public(&reporting_program, conf);
    if (app_run(conf, source, &err) == ERR_OK)
        return EXIT_SUCCESS;
    log_line(LOG_ERROR, "could not start", LOG_FIELDS(log_text("reason", err.msg)));
    return err.code == ERR_CONFIG ? CONF_EXIT_USAGE : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    const struct conf_source source = {&reporting_program, argc, argv};
    struct reporting_conf conf = {0};
    enum conf_next next;
    struct err err;
    int status = EXIT_SUCCESS;

    daemon_prepare();
    if (conf_load(&reporting_program, argc, argv, &conf, &next, &err) ||
        (next == CONF_NEXT_RUN &&
         (pg_conn_check_url(conf.pg.url, &err) ||
          http_health_check(conf.http.health_port, conf.http.port, &err)))) {
        (void)fprintf(stderr, "reporting: %s\n", err.msg);
        status = CONF_EXIT_USAGE;
    } else if (next == CONF_NEXT_RUN && conf.share) {
        status = share(&conf, &err) ? CONF_EXIT_USAGE : EXIT_SUCCESS;
        if (status)
            (void)fprintf(stderr, "reporting: %s\n", err.msg);
    } else if (next == CONF_NEXT_RUN) {
        status = run(&conf, &source);
    }
    conf_release(&reporting_program, &conf);
    return status;
}
