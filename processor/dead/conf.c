/* conf.c -- see conf.h; shared/daemon/conf.h says how the table is read. */
#include "processor/dead/conf.h"

#include <stddef.h>

#define FIELD(name) offsetof(struct dead_conf, name)

static const struct conf_item items[] = {
    CONF_ROW("dead", CONF_CHOICE, FIELD(command), .choices = "list|show|replay|purge",
             .help = "What to do with the dead letters that all filters below let "
                     "through, oldest first"),
    CONF_ROW("site", CONF_TEXT, FIELD(site), .initial = "", .max = 1024,
             .help = "Only of this site_id"),
    CONF_ROW("reason", CONF_TEXT, FIELD(reason), .initial = "", .max = 1024,
             .help = "Only with this text in the reason, in capitals or not"),
    CONF_ROW("event-id", CONF_TEXT, FIELD(event_id), .initial = "", .max = 36,
             .help = "Only of this event_id"),
    CONF_ROW("since", CONF_TEXT, FIELD(since), .initial = "", .max = 64,
             .help = "Only from this time on: 2025-11-14 or 2025-11-14T10:00:00Z"),
    CONF_ROW("until", CONF_TEXT, FIELD(until), .initial = "", .max = 64,
             .help = "Only before this time"),
    CONF_ROW("limit", CONF_INT, FIELD(limit), .initial = "1000", .min = 1, .max = 1000000,
             .help = "Letters at most"),
    CONF_ROW("json", CONF_SWITCH, FIELD(json),
             .help = "Print one JSON object a line instead of a table"),
    CONF_ROW("yes", CONF_SWITCH, FIELD(yes),
             .help = "Delete what purge without it only counts"),
    {0},
};

const struct conf_program dead_program = {
    .name = "processor --dead",
    .summary = "looks through, repeats and deletes dead letters",
    .items = items,
    .base = &processor_program,
};
