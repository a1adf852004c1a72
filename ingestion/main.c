/* main.c -- ingestion: settings, signals, run, exit status. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ingestion/app.h"
#include "ingestion/conf.h"
#include "shared/daemon/conf.h"
#include "shared/daemon/daemon.h"
#include "shared/http/health.h"

int main(int argc, char **argv)
{
    struct ingestion_conf conf = {0};
    const struct conf_source source = {&ingestion_program, argc, argv};
    struct err err = {.code = ERR_OK};
    enum conf_next next;
    enum err_code code;

    daemon_prepare();
    code = conf_load(&ingestion_program, argc, argv, &conf, &next, &err);
    if (!code)
        code = http_health_check(conf.http.health_port, conf.http.port, &err);
    if (code || next == CONF_NEXT_EXIT) {
        conf_release(&ingestion_program, &conf);
        if (code)
            (void)fprintf(stderr, "ingestion: %s\n", err.msg);
        return code ? CONF_EXIT_USAGE : EXIT_SUCCESS;
    }
    daemon_start_log("ingestion", conf.log_level);
    daemon_warn_public(&ingestion_program, &conf);
    code = app_run(&conf, &source, &err);
    if (code) {
        (void)fprintf(stderr, "ingestion: %s\n", err.msg);
        /* Threads may be running: no tearing down under them. */
        _exit(code == ERR_CONFIG ? CONF_EXIT_USAGE : EXIT_FAILURE);
    }
    conf_release(&ingestion_program, &conf);
    return EXIT_SUCCESS;
}
