/* conf.h -- the settings of `processor --sites`; conf.c has the table of them. */
#ifndef PROCESSOR_SITES_CONF_H
#define PROCESSOR_SITES_CONF_H

#include "processor/conf.h"

struct sites_conf {
    struct processor_conf daemon; /* first, as struct conf_program wants it */
    char *command; /* owned, as every text here; list, set, rebuild, forget, delete */
    char *site;    /* "" for none, so the two below */
    char *time_zone;
    char *user;
};

extern const struct conf_program sites_program;

#endif
