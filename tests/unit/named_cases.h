/* named_cases.h -- a table of what belongs to the names of a setting, and what does not. */
#ifndef TESTS_UNIT_NAMED_CASES_H
#define TESTS_UNIT_NAMED_CASES_H

#include <stdbool.h>
#include <stddef.h>

struct named_case {
    const char *setting;
    const char *name;
    bool is_in;
};

/* Fails for the first case in which is_in(), which reads the setting, says otherwise. */
static inline void check_named(const struct named_case *cases, size_t count,
                               bool (*is_in)(const char *setting, const char *name))
{
    for (size_t i = 0; i < count; i++) {
        if (is_in(cases[i].setting, cases[i].name) != cases[i].is_in)
            fail_msg("%s in %s", cases[i].name, cases[i].setting);
    }
}

#endif
