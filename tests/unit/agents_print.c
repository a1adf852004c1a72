/* agents_print.c -- what the classifier says of each User-Agent on stdin, one a line: browser,
 * its version, system, its version, device, and what kind of bot, separated by tabs.  For
 * test_agents.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingestion/enrich/agent.h"
#include "ingestion/enrich/bots.h"

static const char *or_nothing(const char *text)
{
    return text ? text : "";
}

int main(void)
{
    static char line[65536];
    struct agents *agents = NULL;
    struct bot_names *names = NULL;
    struct err err;

    if (agents_new(&agents, &err) || bot_names_new(&names, &err))
        return EXIT_FAILURE;
    while (fgets(line, sizeof(line), stdin)) {
        struct agent agent;
        size_t len = strcspn(line, "\n");
        agent_classify(agents, line, len, &agent);
        (void)printf("%s\t%s\t%s\t%s\t%s\t%s\n", or_nothing(agent.browser),
                     agent.browser_version, or_nothing(agent.os), agent.os_version,
                     agent_device_name(agent.device),
                     bot_reason_name(bots_of_agent(names, line, len)));
    }
    agents_free(agents);
    bot_names_free(names);
    return EXIT_SUCCESS;
}
