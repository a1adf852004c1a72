/* conf.c -- see conf.h; shared/daemon/conf.h says how the table is read. */
#include "processor/dead/conf.h"

#include <stddef.h>

#define FIELD(name) offsetof(struct dead_conf, name)

static const struct conf_item items[] = {
    {"dead", CONF_CHOICE, FIELD(command), NULL, 0, 0, "list|show|replay|purge",
     "what to do with the dead letters that all filters below let through, oldest first"},
    {"site", CONF_TEXT, FIELD(site), "", 0, 1024, NULL, "only of this site_id"},
    {"reason", CONF_TEXT, FIELD(reason), "", 0, 1024, NULL,
     "only with this text in the reason, in capitals or not"},
    {"event-id", CONF_TEXT, FIELD(event_id), "", 0, 36, NULL, "only of this event_id"},
    {"since", CONF_TEXT, FIELD(since), "", 0, 64, NULL,
     "only from this time on: 2025-11-14 or 2025-11-14T10:00:00Z"},
    {"until", CONF_TEXT, FIELD(until), "", 0, 64, NULL, "only before this time"},
    {"limit", CONF_INT, FIELD(limit), "1000", 1, 1000000, NULL, "letters at most"},
    {"json", CONF_SWITCH, FIELD(json), NULL, 0, 0, NULL,
     "print one JSON object a line instead of a table"},
    {"yes", CONF_SWITCH, FIELD(yes), NULL, 0, 0, NULL,
     "delete what purge without it only counts"},
    {0},
};

const struct conf_program dead_program = {
    .name = "processor --dead",
    .summary = "looks through, repeats and deletes dead letters",
    .items = items,
    .base = &processor_program,
};
