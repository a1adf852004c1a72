/* ask.c -- see ask.h. */
#include "reporting/report/ask.h"

#include <string.h>

#include "reporting/report/params.h"
#include "shared/text/query.h"
#include "shared/text/utf8.h"

enum {
    NAME_SHOWN_MAX = 64 /* bytes of a name in a sentence */
};

const char *ask_sql_type(enum ask_text_id id)
{
    static const char *const types[ASK_TEXT_COUNT] = {
#define ASK_TYPE(id, type) [ASK_##id] = type,
        ASK_TEXTS(ASK_TYPE)
#undef ASK_TYPE
    };

    return types[id];
}

static bool is_taken(unsigned taken, const char *name)
{
    const struct param *param = param_at(0);

    for (size_t i = 1; param; param = param_at(i++)) {
        if ((taken & param->bit) && strcmp(param->name, name) == 0)
            return true;
    }
    return false;
}

/* The names a report takes, by commas. */
static void list_names(unsigned taken, char *out, size_t size)
{
    const struct param *param = param_at(0);
    size_t len = 0;

    for (size_t i = 1; param; param = param_at(i++)) {
        size_t add = strlen(param->name);
        if (!(taken & param->bit) || len + add + sizeof(", ") > size)
            continue;
        if (len > 0) {
            memcpy(out + len, ", ", 2);
            len += 2;
        }
        memcpy(out + len, param->name, add);
        len += add;
    }
    out[len] = '\0';
}

static enum err_code refuse_others(unsigned taken, const struct query *query,
                                   struct err *err)
{
    for (size_t i = 0; i < query->count; i++) {
        const char *name = query->pairs[i].name;
        char names[ERR_MSG_MAX / 2];
        if (is_taken(taken, name))
            continue;
        list_names(taken, names, sizeof(names));
        return err_set(err, ERR_INVALID, "\"%.*s\" is not allowed; allowed are %s",
                       (int)utf8_cut(name, strlen(name), NAME_SHOWN_MAX), name, names);
    }
    return ERR_OK;
}

enum err_code ask_read(unsigned taken, const struct query *query, struct ask *ret_ask,
                       struct err *err)
{
    struct ask ask = {.page = 1, .when.period = PERIOD_30D};
    const struct param *param = param_at(0);
    enum err_code code = ERR_OK;

    for (size_t i = 1; param && !code; param = param_at(i++)) {
        if (taken & param->bit)
            code = param->read(query_get(query, param->name), &ask, err);
    }
    if (!code && !(taken & ASK_PARAM_OTHERS))
        code = refuse_others(taken, query, err);
    if (!code)
        *ret_ask = ask;
    return code;
}
