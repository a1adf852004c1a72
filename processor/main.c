/* main.c -- the processor daemon: settings, log, migrate or run; or one of its other
 * programs, for dead letters and for sites. */
#include <stdio.h>
#include <stdlib.h>

#include "processor/app.h"
#include "processor/conf.h"
#include "processor/dead/cli.h"
#include "processor/maintainer.h"
#include "processor/sites/cli.h"
#include "shared/base/log.h"
#include "shared/daemon/conf.h"
#include "shared/daemon/daemon.h"
#include "shared/http/health.h"
#include "shared/pg/conn.h"
#include "shared/redis/url.h"

/* A URL that can never work is a wrong setting, not an outage, and so on. */
static enum err_code check_settings(const struct processor_conf *conf, struct err *err)
{
    struct redis_url url;
    enum err_code code = pg_conn_check_url(conf->pg.url, err);

    if (!code)
        code = redis_url_parse(conf->redis.url, &url, err);
    return code ? code : http_health_check(conf->http.health_port, conf->http.port, err);
}

static enum err_code migrate(const struct processor_conf *conf, struct err *err)
{
    struct maintainer maintainer;
    enum err_code code;

    maintainer_init(&maintainer, conf);
    code = maintainer_migrate(&maintainer, err);
    maintainer_release(&maintainer);
    return code;
}

static int run(const struct processor_conf *conf, const struct conf_source *source)
{
    enum err_code code;
    struct err err;

    daemon_start_log("processor", conf->log_level);
    daemon_warn_public(&processor_program, conf);
    code = conf->migrate ? migrate(conf, &err) : app_run(conf, source, &err);
    if (code == ERR_OK)
        return EXIT_SUCCESS;
    log_line(LOG_ERROR, conf->migrate ? "could not migrate" : "could not run",
             LOG_FIELDS(log_text("reason", err.msg)));
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    const struct conf_source source = {&processor_program, argc, argv};
    struct processor_conf conf = {0};
    enum conf_next next;
    struct err err;
    int status = EXIT_SUCCESS;
    enum err_code code;

    daemon_prepare();
    if (dead_cli_is_meant(argc, argv))
        return dead_cli_run(argc, argv);
    if (sites_cli_is_meant(argc, argv))
        return sites_cli_run(argc, argv);
    code = conf_load(&processor_program, argc, argv, &conf, &next, &err);
    if (!code && next == CONF_NEXT_RUN)
        code = check_settings(&conf, &err);
    if (code) {
        (void)fprintf(stderr, "processor: %s\n", err.msg);
        status = CONF_EXIT_USAGE;
    } else if (next == CONF_NEXT_RUN) {
        status = run(&conf, &source);
    }
    conf_release(&processor_program, &conf);
    return status;
}
