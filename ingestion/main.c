/* main.c -- ingestion: settings, signals, run, exit status. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ingestion/app.h"
#include "ingestion/conf.h"
#include "shared/base/log.h"
#include "shared/daemon/conf.h"

int main(int argc, char **argv)
{
    struct ingestion_conf conf = {.port = 0};
    struct err err = {.code = ERR_OK};
    enum conf_next next;
    enum log_level level = LOG_INFO;
    enum err_code code;

    code = conf_load(&ingestion_program, argc, argv, &conf, &next, &err);
    if (code || next == CONF_NEXT_EXIT) {
        conf_release(&ingestion_program, &conf);
        if (code)
            (void)fprintf(stderr, "ingestion: %s\n", err.msg);
        return code ? CONF_EXIT_USAGE : EXIT_SUCCESS;
    }
    if (log_level_parse(conf.log_level, &level))
        level = LOG_INFO; /* cannot be: it is one of the table's choices */
    log_init("ingestion", level);
    (void)signal(SIGPIPE, SIG_IGN); /* a client that is gone is no reason to end */
    code = app_run(&conf, &err);
    if (code) {
        (void)fprintf(stderr, "ingestion: %s\n", err.msg);
        /* Threads may be running: no tearing down under them. */
        _exit(code == ERR_CONFIG ? CONF_EXIT_USAGE : EXIT_FAILURE);
    }
    conf_release(&ingestion_program, &conf);
    return EXIT_SUCCESS;
}
