/* conf.h -- the settings of `processor --dead`; conf.c has the table of them. */
#ifndef PROCESSOR_DEAD_CONF_H
#define PROCESSOR_DEAD_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "processor/conf.h"

struct dead_conf {
    struct processor_conf daemon; /* first, as struct conf_program wants it */
    char *command; /* owned, as every text here; list, show, replay, purge */
    char *site;    /* "" for any, so the four below */
    char *reason;
    char *event_id;
    char *since;
    char *until;
    int64_t limit;
    bool json;
    bool yes;
};

extern const struct conf_program dead_program;

#endif
