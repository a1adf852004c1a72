/* err.c -- see err.h.  The table is expanded here and nowhere else. */
#include "shared/base/err.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct err_row {
    const char *name;
    unsigned http_status;
    enum err_action action;
};

static const struct err_row rows[ERR_CODE_COUNT] = {
#define ERR_ROW(code, name, status, action) [ERR_##code] = {name, status, action},
    ERR_CODES(ERR_ROW)
#undef ERR_ROW
};

void err_fill(struct err *err, enum err_code code, const char *fmt, ...)
{
    va_list args;

    assert(code > ERR_OK && code < ERR_CODE_COUNT);
    err->code = code;
    va_start(args, fmt);
    (void)vsnprintf(err->msg, sizeof(err->msg), fmt, args); /* a cut sentence is fine */
    va_end(args);
}

enum err_code err_wrap(struct err *err, const char *fmt, ...)
{
    char reason[ERR_MSG_MAX];
    va_list args;
    size_t len;

    memcpy(reason, err->msg, sizeof(reason));
    va_start(args, fmt);
    (void)vsnprintf(err->msg, sizeof(err->msg), fmt, args);
    va_end(args);
    len = strlen(err->msg);
    (void)snprintf(err->msg + len, sizeof(err->msg) - len, ": %s", reason);
    return err->code;
}

const char *err_name(enum err_code code)
{
    assert(code < ERR_CODE_COUNT);
    return rows[code].name;
}

unsigned err_http_status(enum err_code code)
{
    assert(code < ERR_CODE_COUNT);
    return rows[code].http_status;
}

enum err_action err_action(enum err_code code)
{
    assert(code < ERR_CODE_COUNT);
    return rows[code].action;
}
