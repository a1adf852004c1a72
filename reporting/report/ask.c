/* ask.c -- see ask.h. */
#include "reporting/report/ask.h"

#include <string.h>

#include "reporting/report/day.h"
#include "shared/text/query.h"
#include "shared/text/utf8.h"

enum {
    NAME_SHOWN_MAX = 64 /* bytes of a name in a sentence */
};

/* Reads one parameter; text is NULL when it is absent. */
typedef enum err_code (*read_fn)(const char *text, struct ask *ask, struct err *err);

static struct ask_text text_of(const char *bytes)
{
    return (struct ask_text){.bytes = bytes, .len = strlen(bytes)};
}

static enum err_code read_site_id(const char *text, struct ask *ask, struct err *err)
{
    if (!text || !text[0])
        return err_set(err, ERR_INVALID, "site_id required");
    ask->texts[ASK_SITE_ID] = text_of(text);
    return ERR_OK;
}

/* Postgres's own parser takes far more than YYYY-MM-DD ("yesterday", "20251114"), and
 * refuses the rest with an error, so nothing but a real day goes there. */
static enum err_code read_date(const char *text, struct ask *ask, struct err *err)
{
    if (!text || !text[0])
        return ERR_OK;
    if (!day_is_real(text))
        return err_set(err, ERR_INVALID, "date must be YYYY-MM-DD");
    ask->texts[ASK_DATE] = text_of(text);
    return ERR_OK;
}

static enum err_code read_exact(const char *text, struct ask *ask, struct err *err)
{
    ask->is_exact = text && strcmp(text, "true") == 0;
    if (text && !ask->is_exact && strcmp(text, "false") != 0)
        return err_set(err, ERR_INVALID, "exact must be true or false");
    return ERR_OK;
}

static const struct param {
    enum ask_param bit;
    const char *name;
    read_fn read;
} params[] = {
    {ASK_PARAM_SITE_ID, "site_id", read_site_id},
    {ASK_PARAM_DATE, "date", read_date},
    {ASK_PARAM_EXACT, "exact", read_exact},
};

enum {
    PARAM_COUNT = sizeof(params) / sizeof(params[0])
};

static const char *const sql_types[ASK_TEXT_COUNT] = {
    [ASK_SITE_ID] = "text",
    [ASK_DATE] = "date",
};

const char *ask_sql_type(enum ask_text_id id)
{
    return sql_types[id];
}

static bool is_taken(unsigned taken, const char *name)
{
    for (size_t i = 0; i < PARAM_COUNT; i++) {
        if ((taken & params[i].bit) && strcmp(params[i].name, name) == 0)
            return true;
    }
    return false;
}

/* The names a report takes, by commas. */
static void list_names(unsigned taken, char *out, size_t size)
{
    size_t len = 0;

    for (size_t i = 0; i < PARAM_COUNT; i++) {
        size_t add = strlen(params[i].name);
        if (!(taken & params[i].bit) || len + add + sizeof(", ") > size)
            continue;
        if (len > 0) {
            memcpy(out + len, ", ", 2);
            len += 2;
        }
        memcpy(out + len, params[i].name, add);
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
    struct ask ask = {.is_exact = false};
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < PARAM_COUNT && !code; i++) {
        if (taken & params[i].bit)
            code = params[i].read(query_get(query, params[i].name), &ask, err);
    }
    if (!code && !(taken & ASK_PARAM_OTHERS))
        code = refuse_others(taken, query, err);
    if (!code)
        *ret_ask = ask;
    return code;
}

size_t ask_bytes(const struct ask *ask)
{
    size_t size = 0;

    for (size_t i = 0; i < ASK_TEXT_COUNT; i++)
        size += ask->texts[i].bytes ? ask->texts[i].len + 1 : 0;
    return size;
}

void ask_move(struct ask *ask, char *bytes)
{
    for (size_t i = 0; i < ASK_TEXT_COUNT; i++) {
        struct ask_text *text = &ask->texts[i];
        if (!text->bytes)
            continue;
        memcpy(bytes, text->bytes, text->len + 1);
        text->bytes = bytes;
        bytes += text->len + 1;
    }
}
