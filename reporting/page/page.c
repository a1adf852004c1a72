/* page.c -- see page.h. */
#include "reporting/page/page.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/base/mem.h"
#include "shared/base/siphash.h"
#include "shared/http/asset.h"
#include "shared/http/http.h"

/* Made at build time. */
extern const struct http_asset asset_index_html;
extern const struct http_asset asset_page_js;
extern const struct http_asset asset_style_css;

enum {
    PAGE_MAX = 65536, /* bytes of the page */
    TAG_MAX = 24
};

/* The page as it stands one folder up from its files or not: a proxy may serve it below a
 * path of its own, so that nothing in it begins with a slash. */
struct view {
    struct buf html;
    char etag[TAG_MAX];
    struct http_asset asset;
};

struct page {
    struct view root;
    struct view site;
};

/* Nothing but what is ours is loaded or asked, and nobody frames it. */
static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static const struct http_header page_headers[] = {
    {"Content-Security-Policy", policy},
    {"Cache-Control", "no-cache"},
    {"Referrer-Policy", "no-referrer"},
    {NULL, NULL},
};

static const struct http_header file_headers[] = {
    {"Cache-Control", "public, max-age=31536000, immutable"},
    {NULL, NULL},
};

/* --- the page ----------------------------------------------------------------------- */

/* As the value of an attribute. */
static enum err_code add_escaped(struct buf *out, const char *text)
{
    enum err_code code = ERR_OK;

    for (; *text && !code; text++) {
        if (strchr("&<>\"'", *text))
            code = buf_printf(out, "&#%d;", *text);
        else
            code = buf_add(out, text, 1);
    }
    return code;
}

static enum err_code add_file(struct buf *out, const struct http_asset *file)
{
    return buf_printf(out, "page/%s%s", file->hash, strrchr(file->name, '.'));
}

/* What stands in the page for {name}. */
static enum err_code add_value(struct buf *out, const char *name, const char *root,
                               const char *ingestion_url)
{
    if (strcmp(name, "root") == 0)
        return buf_add_text(out, root);
    if (strcmp(name, "ingestion") == 0)
        return add_escaped(out, ingestion_url);
    return add_file(out, strcmp(name, "script") == 0 ? &asset_page_js : &asset_style_css);
}

static enum err_code write_page(struct buf *out, const char *root,
                                const char *ingestion_url)
{
    const char *at = asset_index_html.plain;
    const char *end = at + asset_index_html.plain_len;
    enum err_code code = ERR_OK;

    while (at < end && !code) {
        char name[16];
        int taken = 0;

        if (sscanf(at, "{%15[a-z]}%n", name, &taken) == 1 && taken > 0) {
            code = add_value(out, name, root, ingestion_url);
            at += taken;
        } else {
            code = buf_add(out, at++, 1);
        }
    }
    return code;
}

static enum err_code make_view(struct view *view, const char *root,
                               const char *ingestion_url)
{
    static const struct siphash_key key = {0}; /* a checksum, no secret */
    enum err_code code;

    buf_init(&view->html, PAGE_MAX);
    code = write_page(&view->html, root, ingestion_url);
    if (code)
        return code;
    (void)snprintf(view->etag, sizeof(view->etag), "\"%016llx\"",
                   (unsigned long long)siphash(&key, view->html.data, view->html.len));
    view->asset = (struct http_asset){.name = asset_index_html.name,
                                      .etag = view->etag,
                                      .content_type = asset_index_html.content_type,
                                      .plain = view->html.data,
                                      .plain_len = view->html.len};
    return ERR_OK;
}

enum err_code page_new(const char *ingestion_url, struct page **ret_page)
{
    struct page *page = mem_calloc(1, sizeof(*page));
    enum err_code code = page ? ERR_OK : ERR_NOMEM;

    if (!code)
        code = make_view(&page->root, "./", ingestion_url);
    if (!code)
        code = make_view(&page->site, "../", ingestion_url);
    if (code) {
        page_free(page);
        return ERR_NOMEM;
    }
    *ret_page = page;
    return ERR_OK;
}

void page_free(struct page *page)
{
    if (!page)
        return;
    buf_release(&page->root.html);
    buf_release(&page->site.html);
    mem_free(page);
}

void page_answer_root(const struct page *page, struct http_request *req)
{
    http_answer_asset(req, &page->root.asset, page_headers);
}

void page_answer_site(const struct page *page, struct http_request *req)
{
    http_answer_asset(req, &page->site.asset, page_headers);
}

/* --- its files ------------------------------------------------------------------------ */

static bool is_named(const struct http_asset *file, const char *name, size_t len)
{
    size_t hash_len = strlen(file->hash);
    const char *ending = strrchr(file->name, '.');

    return len == hash_len + strlen(ending) && memcmp(name, file->hash, hash_len) == 0 &&
           memcmp(name + hash_len, ending, len - hash_len) == 0;
}

void page_answer_file(struct http_request *req)
{
    size_t len;
    const char *name = http_request_last_segment(req, &len);

    if (is_named(&asset_page_js, name, len))
        http_answer_asset(req, &asset_page_js, file_headers);
    else if (is_named(&asset_style_css, name, len))
        http_answer_asset(req, &asset_style_css, file_headers);
    else
        http_answer_error(req, 404, "not found");
}
