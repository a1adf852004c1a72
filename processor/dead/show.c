/* show.c -- see show.h. */
#include "processor/dead/show.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "processor/dead/letters.h"
#include "shared/base/buf.h"
#include "shared/text/json.h"
#include "shared/text/utf8.h"

enum {
    ESCAPE_MAX = 4, /* \x1b */
    GAP = 2,
};

/* --- escaping ------------------------------------------------------------------- */

static uint32_t code_point(const char *bytes, size_t len)
{
    static const unsigned char lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t point = (unsigned char)bytes[0] & lead_bits[len];

    for (size_t i = 1; i < len; i++)
        point = point << 6 | ((unsigned char)bytes[i] & 0x3f);
    return point;
}

/* Characters that a terminal shows at one place and that change nothing else.  Not so:
 * controls, marks of direction and of joining, separators of lines, unassigned oddities. */
static bool is_harmless(uint32_t point)
{
    static const struct {
        uint32_t first;
        uint32_t last;
    } harmful[] = {
        {0x0000, 0x001f}, {0x005c, 0x005c}, {0x007f, 0x009f},    {0x00ad, 0x00ad},
        {0x0300, 0x036f}, {0x061c, 0x061c}, {0x180b, 0x180f},    {0x200b, 0x200f},
        {0x2028, 0x202e}, {0x2060, 0x206f}, {0xd800, 0xf8ff},    {0xfe00, 0xfe0f},
        {0xfeff, 0xfeff}, {0xfff0, 0xffff}, {0xe0000, 0x10ffff},
    };

    for (size_t i = 0; i < sizeof(harmful) / sizeof(harmful[0]); i++) {
        if (point >= harmful[i].first && point <= harmful[i].last)
            return false;
    }
    return true;
}

/* Writes one byte in its escaped form; returns the length. */
static size_t escape_byte(char c, char out[ESCAPE_MAX + 1])
{
    static const char names[] = "\n\r\t\\";
    static const char letters[] = "nrt\\";
    const char *name = c == '\0' ? NULL : strchr(names, c);

    if (name)
        return (size_t)snprintf(out, ESCAPE_MAX + 1, "\\%c", letters[name - names]);
    return (size_t)snprintf(out, ESCAPE_MAX + 1, "\\x%02x", (unsigned char)c);
}

enum err_code dead_show_escaped(struct buf *out, const char *bytes, size_t len,
                                size_t max, size_t *ret_width)
{
    size_t width = 0;
    enum err_code code = ERR_OK;

    for (size_t at = 0; at < len && !code;) {
        size_t step = utf8_char_len(bytes + at, len - at);
        char escaped[ESCAPE_MAX + 1];
        size_t columns = 1;

        if (step > 0 && is_harmless(code_point(bytes + at, step))) {
            if (width + columns > max)
                break;
            code = buf_add(out, bytes + at, step);
            at += step;
        } else {
            columns = escape_byte(bytes[at], escaped);
            if (width + columns > max)
                break;
            code = buf_add(out, escaped, columns);
            at++;
        }
        width += columns;
    }
    if (ret_width)
        *ret_width = width;
    return code;
}

/* --- the table ------------------------------------------------------------------ */

enum column {
    COLUMN_TIME,
    COLUMN_EVENT_ID,
    COLUMN_SITE,
    COLUMN_SQLSTATE,
    COLUMN_REASON,
    COLUMN_PAYLOAD,
    COLUMNS
};

static const struct {
    const char *title;
    size_t width;
} columns[COLUMNS] = {
    [COLUMN_TIME] = {"failed at", 24}, [COLUMN_EVENT_ID] = {"event_id", 36},
    [COLUMN_SITE] = {"site_id", 20},   [COLUMN_SQLSTATE] = {"state", 5},
    [COLUMN_REASON] = {"reason", 48},  [COLUMN_PAYLOAD] = {"payload", DEAD_SHOW_PREVIEW},
};

static enum err_code add_spaces(struct buf *out, size_t count)
{
    enum err_code code = buf_reserve(out, count);

    if (code)
        return code;
    memset(out->data + out->len, ' ', count);
    out->len += count;
    return ERR_OK;
}

/* A cell: escaped, cut (two dots say so), and filled up unless it is the row's last. */
static enum err_code add_cell(struct buf *out, enum column column, const char *bytes,
                              size_t len, bool is_cut)
{
    static const char dots[] = "..";
    size_t room = columns[column].width;
    size_t start = out->len;
    size_t width;
    enum err_code code = dead_show_escaped(out, bytes, len, room, &width);

    if (!code &&
        !is_cut) { /* whether all went in shows when it is tried with more room */
        size_t all;
        size_t end = out->len;

        out->len = start;
        code = dead_show_escaped(out, bytes, len, room + 1, &all);
        is_cut = all > width;
        out->len = end;
    }
    if (!code && is_cut) {
        out->len = start;
        code = dead_show_escaped(out, bytes, len, room - (sizeof(dots) - 1), &width);
        if (!code)
            code = buf_add_text(out, dots);
        width += sizeof(dots) - 1;
    }
    if (code || column == COLUMN_PAYLOAD)
        return code;
    return add_spaces(out, room - width + GAP);
}

static enum err_code add_text_cell(struct buf *out, enum column column, const char *text)
{
    return add_cell(out, column, text ? text : "-", text ? strlen(text) : 1, false);
}

enum err_code dead_show_head(struct buf *out)
{
    enum err_code code = ERR_OK;

    for (enum column column = COLUMN_TIME; column < COLUMNS && !code; column++)
        code = add_text_cell(out, column, columns[column].title);
    return code ? code : buf_add_text(out, "\n");
}

enum err_code dead_show_row(struct buf *out, const struct letter *letter)
{
    const char *cells[COLUMN_PAYLOAD] = {
        [COLUMN_TIME] = letter->created_at, [COLUMN_EVENT_ID] = letter->event_id,
        [COLUMN_SITE] = letter->site_id,    [COLUMN_SQLSTATE] = letter->sqlstate,
        [COLUMN_REASON] = letter->reason,
    };
    enum err_code code = ERR_OK;

    for (enum column column = COLUMN_TIME; column < COLUMN_PAYLOAD && !code; column++)
        code = add_text_cell(out, column, cells[column]);
    if (!code)
        code = add_cell(out, COLUMN_PAYLOAD, letter->payload, letter->payload_len,
                        letter->payload_bytes > (int64_t)letter->payload_len);
    return code ? code : buf_add_text(out, "\n");
}

/* --- everything ------------------------------------------------------------------ */

static enum err_code add_line(struct buf *out, const char *name, const char *text)
{
    enum err_code code = buf_printf(out, "%-14s", name);

    if (!code && text)
        code = dead_show_escaped(out, text, strlen(text), SIZE_MAX, NULL);
    else if (!code)
        code = buf_add_text(out, "-");
    return code ? code : buf_add_text(out, "\n");
}

enum err_code dead_show_whole(struct buf *out, const struct letter *letter)
{
    const char *const lines[][2] = {
        {"event_id", letter->event_id},       {"failed at", letter->created_at},
        {"site_id", letter->site_id},         {"reason", letter->reason},
        {"sqlstate", letter->sqlstate},       {"batch_id", letter->batch_id},
        {"batch_place", letter->batch_place},
    };
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]) && !code; i++)
        code = add_line(out, lines[i][0], lines[i][1]);
    if (!code)
        code =
            buf_printf(out, "%-14s%" PRId64 " bytes", "payload", letter->payload_bytes);
    if (!code && letter->payload_bytes > (int64_t)letter->payload_len)
        code = buf_printf(out, ", of which the first %zu were kept", letter->payload_len);
    if (!code)
        code = buf_add_text(out, "\n  ");
    if (!code)
        code =
            dead_show_escaped(out, letter->payload, letter->payload_len, SIZE_MAX, NULL);
    return code ? code : buf_add_text(out, "\n\n");
}

/* --- JSON ------------------------------------------------------------------------- */

static enum err_code add_member(struct buf *out, const char *key, const char *text)
{
    enum err_code code = buf_printf(out, "\"%s\":", key);

    if (!code && text)
        code = json_add_string(out, text, strlen(text));
    else if (!code)
        code = buf_add_text(out, "null");
    return code ? code : buf_add_text(out, ",");
}

static enum err_code add_hex(struct buf *out, const char *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    enum err_code code = buf_reserve(out, 2 * len);

    for (size_t i = 0; i < len && !code; i++) {
        unsigned char byte = (unsigned char)bytes[i];

        out->data[out->len++] = digits[byte >> 4];
        out->data[out->len++] = digits[byte & 15];
    }
    return code;
}

static enum err_code add_payload(struct buf *out, const struct letter *letter)
{
    enum err_code code;

    if (utf8_is_valid(letter->payload, letter->payload_len)) {
        code = buf_add_text(out, "\"payload\":");
        return code ? code : json_add_string(out, letter->payload, letter->payload_len);
    }
    code = buf_add_text(out, "\"payload_hex\":\"");
    if (!code)
        code = add_hex(out, letter->payload, letter->payload_len);
    return code ? code : buf_add_text(out, "\"");
}

enum err_code dead_show_json(struct buf *out, const struct letter *letter)
{
    enum err_code code = buf_add_text(out, "{");

    if (!code)
        code = add_member(out, "event_id", letter->event_id);
    if (!code)
        code = add_member(out, "created_at", letter->created_at);
    if (!code)
        code = add_member(out, "site_id", letter->site_id);
    if (!code)
        code = add_member(out, "reason", letter->reason);
    if (!code)
        code = add_member(out, "sqlstate", letter->sqlstate);
    if (!code)
        code = add_member(out, "batch_id", letter->batch_id);
    if (!code)
        code = buf_printf(out, "\"batch_place\":%s,\"payload_bytes\":%" PRId64 ",",
                          letter->batch_place, letter->payload_bytes);
    if (!code)
        code = add_payload(out, letter);
    return code ? code : buf_add_text(out, "}\n");
}
