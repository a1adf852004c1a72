/* doc.c -- see doc.h. */
#include "shared/openapi/doc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/text/json.h"

void openapi_add(struct openapi_doc *doc, const char *fmt, ...)
{
    struct buf *out = doc->out;
    va_list args;
    int len;

    if (doc->code)
        return;
    va_start(args, fmt);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    doc->code = len < 0 ? ERR_BUG : buf_reserve(out, (size_t)len + 1);
    if (doc->code)
        return;
    va_start(args, fmt);
    (void)vsnprintf(out->data + out->len, (size_t)len + 1, fmt, args);
    va_end(args);
    for (int i = 0; i < len; i++, out->len++) {
        if (out->data[out->len] == '\'')
            out->data[out->len] = '"';
    }
}

void openapi_add_string(struct openapi_doc *doc, const char *text)
{
    if (!doc->code)
        doc->code = json_add_string(doc->out, text, strlen(text));
}

void openapi_add_comma(struct openapi_doc *doc)
{
    const struct buf *out = doc->out;

    if (out->len > 0 && !strchr("{[", out->data[out->len - 1]))
        openapi_add(doc, ",");
}

void openapi_add_name(struct openapi_doc *doc, const char *name)
{
    openapi_add_comma(doc);
    openapi_add_string(doc, name);
    openapi_add(doc, ":");
}
