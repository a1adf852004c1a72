/* failpoint.c -- see failpoint.h.  Linked only by a build with failpoints. */
#include "shared/base/failpoint.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    RULES_MAX = 16,
    NTH_MAX = 1000000,
    NAME_MAX_LEN = 48,
    BAD_RULE_EXIT_CODE = 2,
};

enum action {
    ACT_EXIT,
    ACT_KILL,
    ACT_STOP,
    ACT_ERROR,
    ACTIONS
};

static const char *const action_names[ACTIONS] = {
    [ACT_EXIT] = "exit",
    [ACT_KILL] = "kill",
    [ACT_STOP] = "stop",
    [ACT_ERROR] = "error",
};

struct rule {
    char name[NAME_MAX_LEN];
    enum action action;
    unsigned nth;
    atomic_uint reached;
};

static struct rule rules[RULES_MAX];
static size_t rule_count;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void refuse(const char *text)
{
    (void)dprintf(STDERR_FILENO, "FAILPOINTS is wrong at \"%s\"\n", text);
    _exit(BAD_RULE_EXIT_CODE);
}

static enum action find_action(const char *text)
{
    for (enum action i = 0; i < ACTIONS; i++) {
        if (strcmp(action_names[i], text) == 0)
            return i;
    }
    refuse(text);
    return ACT_EXIT; /* not reached */
}

static void add_rule(const char *text)
{
    char action[NAME_MAX_LEN];
    struct rule *rule = &rules[rule_count];
    int end = 0;

    if (rule_count == RULES_MAX ||
        sscanf(text, "%47[a-z_.]:%47[a-z]%n", rule->name, action, &end) != 2)
        refuse(text);
    rule->nth = 1;
    rule->action = find_action(action);
    if (text[end] == ':') {
        const char *number = text + end + 1;
        char *after;
        unsigned long nth = strtoul(number, &after, 10);

        if (after == number || nth == 0 || nth > NTH_MAX)
            refuse(text);
        rule->nth = (unsigned)nth;
        end = (int)(after - text);
    }
    if (text[end] != '\0')
        refuse(text);
    rule_count++;
}

static void read_rules(void)
{
    const char *at = getenv("FAILPOINTS");
    char text[3 * NAME_MAX_LEN];

    while (at && *at != '\0') {
        size_t len = strcspn(at, ",");

        if (len >= sizeof(text))
            refuse(at);
        memcpy(text, at, len);
        text[len] = '\0';
        add_rule(text);
        at += len + (at[len] == ',' ? 1 : 0);
    }
}

static enum err_code act(const struct rule *rule, struct err *err)
{
    (void)dprintf(STDERR_FILENO, "failpoint %s %s\n", rule->name,
                  action_names[rule->action]);
    switch (rule->action) {
    case ACT_EXIT:
        _exit(FAILPOINT_EXIT_CODE);
    case ACT_KILL:
        (void)kill(getpid(), SIGKILL); /* fails only for a process that is not ours */
        (void)pause();
        break;
    case ACT_STOP:
        (void)kill(getpid(), SIGSTOP);
        break;
    case ACT_ERROR:
        return err_set(err, ERR_UNAVAILABLE, "failpoint %s", rule->name);
    case ACTIONS:
        break;
    }
    return ERR_OK;
}

enum err_code failpoint_reach(const char *name, struct err *err)
{
    (void)pthread_once(&once, read_rules);
    for (size_t i = 0; i < rule_count; i++) {
        struct rule *rule = &rules[i];

        if (strcmp(rule->name, name) == 0 &&
            atomic_fetch_add(&rule->reached, 1) + 1 == rule->nth)
            return act(rule, err);
    }
    return ERR_OK;
}
