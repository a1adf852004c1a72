/* main.c -- the reporting daemon: settings, log, run. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "reporting/app.h"
#include "reporting/conf.h"
#include "shared/base/log.h"
#include "shared/daemon/conf.h"
#include "shared/pg/conn.h"

static int run(const struct reporting_conf *conf)
{
    enum log_level level;
    struct err err;

    if (log_level_parse(conf->log_level, &level))
        level = LOG_INFO; /* the table of settings lets no other word through */
    log_init("reporting", level);
    (void)signal(SIGPIPE, SIG_IGN); /* a client that leaves is no reason to end */
    if (app_run(conf, &err) == ERR_OK)
        return EXIT_SUCCESS;
    log_line(LOG_ERROR, "could not start", LOG_FIELDS(log_text("reason", err.msg)));
    return err.code == ERR_CONFIG ? CONF_EXIT_USAGE : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct reporting_conf conf = {0};
    enum conf_next next;
    struct err err;
    int status = EXIT_SUCCESS;

    if (conf_load(&reporting_program, argc, argv, &conf, &next, &err) ||
        (next == CONF_NEXT_RUN && pg_conn_check_url(conf.database_url, &err))) {
        (void)fprintf(stderr, "reporting: %s\n", err.msg);
        status = CONF_EXIT_USAGE;
    } else if (next == CONF_NEXT_RUN) {
        status = run(&conf);
    }
    conf_release(&reporting_program, &conf);
    return status;
}
