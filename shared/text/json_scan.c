/* json_scan.c -- see json_scan.h. */
#include "shared/text/json_scan.h"

#include <stdbool.h>
#include <string.h>

#include "shared/base/hex.h"
#include "shared/text/json_plain.h"
#include "shared/text/utf8.h"

enum {
    NUMBER_MAX = 60 /* bytes */
};

static enum err_code scan_value(struct json_scan *scan);

static enum err_code refuse_at(struct json_scan *scan, const char *at, const char *what)
{
    return err_set(scan->err, ERR_INVALID, "%s at byte %zu", what,
                   (size_t)(at - scan->start));
}

/* What stands at the reading position has no place there. */
static enum err_code refuse(struct json_scan *scan)
{
    return refuse_at(scan, scan->at,
                     scan->at == scan->end ? "unexpected end" : "unexpected character");
}

static bool is_next(const struct json_scan *scan, char c)
{
    return scan->at < scan->end && *scan->at == c;
}

static void skip_space(struct json_scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\n' ||
                                    *scan->at == '\r' || *scan->at == '\t'))
        scan->at++;
}

static void put(struct json_scan *scan, char c)
{
    *scan->out++ = c;
}

/* Writes what was read since from. */
static void put_read(struct json_scan *scan, const char *from)
{
    size_t len = (size_t)(scan->at - from);

    memcpy(scan->out, from, len);
    scan->out += len;
}

/* --- strings --------------------------------------------------------------- */

static void put_defect(struct json_scan *scan, enum json_defect defect)
{
    if (scan->defect == JSON_DEFECT_NONE)
        scan->defect = defect;
    put(scan, '?');
}

/* The code unit of the \uXXXX at text, or -1. */
static int unit_at(const char *text, const char *end)
{
    int unit = 0;

    if (end - text < 6 || text[0] != '\\' || text[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        int digit = hex_value(text[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static enum err_code scan_unicode_escape(struct json_scan *scan)
{
    const char *from = scan->at;
    int unit = unit_at(scan->at, scan->end);
    int low;

    if (unit < 0)
        return refuse_at(scan, from, "invalid escape");
    scan->at += 6;
    if (unit == 0) {
        put_defect(scan, JSON_DEFECT_NUL);
        return ERR_OK;
    }
    if (unit >= 0xd800 && unit <= 0xdfff) {
        low = unit_at(scan->at, scan->end);
        if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff) {
            put_defect(scan, JSON_DEFECT_SURROGATE);
            return ERR_OK;
        }
        scan->at += 6;
    }
    put_read(scan, from);
    return ERR_OK;
}

static enum err_code scan_escape(struct json_scan *scan)
{
    const char *from = scan->at;

    if (scan->end - scan->at < 2) {
        scan->at = scan->end;
        return refuse(scan);
    }
    if (scan->at[1] == 'u')
        return scan_unicode_escape(scan);
    if (!strchr("\"\\/bfnrt", scan->at[1]) || scan->at[1] == '\0')
        return refuse_at(scan, from, "invalid escape");
    scan->at += 2;
    put_read(scan, from);
    return ERR_OK;
}

/* One character beyond ASCII. */
static void scan_wide(struct json_scan *scan)
{
    const char *from = scan->at;
    size_t len = utf8_char_len(scan->at, (size_t)(scan->end - scan->at));

    if (len == 0) {
        scan->at++;
        put_defect(scan, JSON_DEFECT_UTF8);
        return;
    }
    scan->at += len;
    put_read(scan, from);
}

static void scan_plain(struct json_scan *scan)
{
    const char *from = scan->at;

    scan->at += json_plain_len(scan->at, (size_t)(scan->end - scan->at));
    put_read(scan, from);
}

/* The opening quote is next. */
static enum err_code scan_string(struct json_scan *scan)
{
    put(scan, *scan->at++);
    for (;;) {
        enum err_code code = ERR_OK;
        scan_plain(scan);
        if (scan->at == scan->end)
            return refuse(scan);
        if (*scan->at == '"')
            break;
        if (*scan->at == '\\')
            code = scan_escape(scan);
        else if ((unsigned char)*scan->at < 0x20)
            code = refuse_at(scan, scan->at, "control character in a string");
        else
            scan_wide(scan);
        if (code)
            return code;
    }
    put(scan, *scan->at++);
    return ERR_OK;
}

/* --- numbers and words ----------------------------------------------------- */

static bool is_digit_next(const struct json_scan *scan)
{
    return scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9';
}

/* At least one digit. */
static enum err_code scan_digits(struct json_scan *scan)
{
    if (!is_digit_next(scan))
        return refuse(scan);
    while (is_digit_next(scan))
        scan->at++;
    return ERR_OK;
}

/* cJSON cuts a longer number off at 63 characters, and would read another one.  So it becomes
 * a number that no double holds, which every rule refuses. */
static void put_number(struct json_scan *scan, const char *from)
{
    static const char endless[] = "1e999";

    if (scan->at - from <= NUMBER_MAX) {
        put_read(scan, from);
        return;
    }
    memcpy(scan->out, endless, sizeof(endless) - 1);
    scan->out += sizeof(endless) - 1;
}

static enum err_code scan_number(struct json_scan *scan)
{
    enum err_code code = ERR_OK;
    const char *from = scan->at;

    if (is_next(scan, '-'))
        scan->at++;
    if (is_next(scan, '0'))
        scan->at++; /* nothing but . or e may follow: 01 is no number */
    else
        code = scan_digits(scan);
    if (!code && is_next(scan, '.')) {
        scan->at++;
        code = scan_digits(scan);
    }
    if (!code && (is_next(scan, 'e') || is_next(scan, 'E'))) {
        scan->at++;
        if (is_next(scan, '+') || is_next(scan, '-'))
            scan->at++;
        code = scan_digits(scan);
    }
    if (!code)
        put_number(scan, from);
    return code;
}

static enum err_code scan_word(struct json_scan *scan, const char *word)
{
    const char *from = scan->at;

    for (; *word; word++) {
        if (!is_next(scan, *word))
            return refuse(scan);
        scan->at++;
    }
    put_read(scan, from);
    return ERR_OK;
}

/* --- objects and arrays ---------------------------------------------------- */

static enum err_code scan_member(struct json_scan *scan)
{
    bool is_outermost = scan->depth == 1;
    enum err_code code;

    skip_space(scan);
    if (!is_next(scan, '"'))
        return refuse(scan);
    code = scan_string(scan);
    if (code)
        return code;
    skip_space(scan);
    if (!is_next(scan, ':'))
        return refuse(scan);
    put(scan, *scan->at++);
    if (is_outermost)
        scan->defect = JSON_DEFECT_NONE; /* a key's own defects make it unknown: enough */
    code = scan_value(scan);
    if (is_outermost)
        scan->defects[scan->members++] = (uint8_t)scan->defect;
    return code;
}

/* What stands between the brackets, up to and with the closing one. */
static enum err_code scan_items(struct json_scan *scan, char close)
{
    skip_space(scan);
    if (is_next(scan, close)) {
        put(scan, *scan->at++);
        return ERR_OK;
    }
    for (;;) {
        enum err_code code = close == '}' ? scan_member(scan) : scan_value(scan);
        if (code)
            return code;
        skip_space(scan);
        if (!is_next(scan, ',') && !is_next(scan, close))
            return refuse(scan);
        put(scan, *scan->at);
        if (*scan->at++ == close)
            return ERR_OK;
    }
}

static enum err_code scan_container(struct json_scan *scan, char close)
{
    char *from = scan->out;
    enum err_code code;

    if (scan->depth == JSON_DEPTH_MAX)
        return refuse_at(scan, scan->at, "too deeply nested");
    scan->depth++;
    put(scan, *scan->at++);
    code = scan_items(scan, close);
    scan->depth--;
    if (scan->depth > 1 || close == ']') {
        scan->out = from + 1; /* empty it */
        put(scan, close);
    }
    return code;
}

/* --- the text -------------------------------------------------------------- */

static enum err_code scan_value(struct json_scan *scan)
{
    skip_space(scan);
    if (scan->at == scan->end)
        return refuse(scan);
    switch (*scan->at) {
    case '"':
        return scan_string(scan);
    case '{':
        return scan_container(scan, '}');
    case '[':
        return scan_container(scan, ']');
    case 't':
        return scan_word(scan, "true");
    case 'f':
        return scan_word(scan, "false");
    case 'n':
        return scan_word(scan, "null");
    default:
        return scan_number(scan);
    }
}

enum err_code json_scan_text(struct json_scan *scan)
{
    enum err_code code = scan_value(scan);

    if (code)
        return code;
    skip_space(scan);
    if (scan->at != scan->end)
        return refuse(scan);
    put(scan, '\0');
    return ERR_OK;
}
