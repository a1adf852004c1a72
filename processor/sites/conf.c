/* conf.c -- see conf.h; shared/daemon/conf.h says how the table is read. */
#include "processor/sites/conf.h"

#include <stddef.h>

#define FIELD(name) offsetof(struct sites_conf, name)

static const struct conf_item items[] = {
    CONF_ROW(
        "sites", CONF_CHOICE, FIELD(command), .choices = "list|set|rebuild|forget|delete",
        .help = "What to do; all but list are followed by a site_id. set: give the "
                "site a time zone, rebuild: count it anew from its raw events, forget: "
                "delete the events of a user and count it anew, delete: delete it with "
                "all its events"),
    CONF_ROW("site", CONF_TEXT, FIELD(site), .initial = "", .max = 1024,
             .help = "The site_id, when it does not follow the command"),
    CONF_ROW("time-zone", CONF_TEXT, FIELD(time_zone), .initial = "", .max = 100,
             .help = "Of set: the zone in which days of the site begin: Asia/Kathmandu"),
    CONF_ROW("user", CONF_TEXT, FIELD(user), .initial = "", .max = 1024,
             .help = "Of forget: the user, as his events name him"),
    {0},
};

const struct conf_program sites_program = {
    .name = "processor --sites",
    .summary = "lists sites, sets their time zones, counts them anew and deletes them",
    .items = items,
    .base = &processor_program,
};
