/* share_key.c -- see share_key.h. */
#include "reporting/share_key.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#include "reporting/report/metric_table.h"
#include "shared/access/secret.h"
#include "shared/base/buf.h"
#include "shared/base/hex.h"
#include "shared/text/query.h"
#include "shared/text/utf8.h"

enum {
    MAC_BYTES = 16,
    SHA256_BYTES = 32,
    KEY_DIGITS = 2 * MAC_BYTES
};

/* So that a key of a site is never a key of anything else that the token may sign one day. */
static const char purpose[] = "analytics share key 1\n";

static const char lower_digits[] = "0123456789abcdef";
static const char upper_digits[] = "0123456789ABCDEF";

static enum err_code add_mac(const char *token, const char *site_id, struct buf *out)
{
    unsigned char mac[SHA256_BYTES];
    struct buf text;
    enum err_code code;

    buf_init(&text, sizeof(purpose) + SHARE_SITE_MAX);
    code = buf_add_text(&text, purpose);
    if (!code)
        code = buf_add_text(&text, site_id);
    if (!code && gnutls_hmac_fast(GNUTLS_MAC_SHA256, token, strlen(token), text.data,
                                  text.len, mac) != GNUTLS_E_SUCCESS)
        code = ERR_BUG;
    for (size_t i = 0; i < MAC_BYTES && !code; i++) {
        const char digits[] = {lower_digits[mac[i] >> 4], lower_digits[mac[i] & 15]};
        code = buf_add(out, digits, sizeof(digits));
    }
    buf_release(&text);
    return code;
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_';
}

/* Plain characters as they are, of the others the bytes: %XX in URLs, ~XX in keys. */
static enum err_code add_escaped(const char *text, char escape, struct buf *out)
{
    enum err_code code = ERR_OK;

    for (; *text && !code; text++) {
        unsigned char byte = (unsigned char)*text;
        const char escaped[] = {escape, upper_digits[byte >> 4], upper_digits[byte & 15]};
        code = is_plain(*text) ? buf_add(out, text, 1)
                               : buf_add(out, escaped, sizeof(escaped));
    }
    return code;
}

static bool is_good(const char *token)
{
    return token && strlen(token) >= SHARE_TOKEN_MIN;
}

enum err_code share_key_add(const char *token, const char *site_id, struct buf *out,
                            struct err *err)
{
    enum err_code code;

    if (!is_good(token))
        return err_set(err, ERR_CONFIG,
                       "share keys need a REPORTING_TOKEN of at least %d characters",
                       SHARE_TOKEN_MIN);
    if (!site_id[0] || strlen(site_id) > SHARE_SITE_MAX ||
        !utf8_is_valid(site_id, strlen(site_id)))
        return err_set(err, ERR_CONFIG, "a share key needs a site_id");
    code = add_mac(token, site_id, out);
    if (!code)
        code = buf_add(out, ".", 1);
    if (!code)
        code = add_escaped(site_id, '~', out);
    return code ? err_set(err, code, "could not make a share key") : ERR_OK;
}

/* False where it is not what add_escaped() writes. */
static bool read_site(const char *text, char ret_site_id[SHARE_SITE_MAX + 1])
{
    size_t len = 0;

    while (*text && len < SHARE_SITE_MAX) {
        int byte = is_plain(*text) ? *text : hex_escape(text, '~');
        if (byte < 0)
            return false;
        ret_site_id[len++] = (char)byte;
        text += is_plain(*text) ? 1 : 3;
    }
    ret_site_id[len] = '\0';
    return !*text && len > 0;
}

bool share_key_read(const char *token, const char *key,
                    char ret_site_id[SHARE_SITE_MAX + 1])
{
    struct buf expected;
    struct err err;
    bool is_read;

    if (!is_good(token) || strlen(key) <= KEY_DIGITS || key[KEY_DIGITS] != '.' ||
        !read_site(key + KEY_DIGITS + 1, ret_site_id))
        return false;
    buf_init(&expected, KEY_DIGITS + 2 + 3 * SHARE_SITE_MAX);
    is_read = share_key_add(token, ret_site_id, &expected, &err) == ERR_OK &&
              buf_add(&expected, "", 1) == ERR_OK && secret_is_same(key, expected.data);
    buf_release(&expected);
    return is_read;
}

static bool is_of_props(const char *text)
{
    for (const char *at = text; at; at = strchr(at, ';')) {
        at += *at == ';';
        if (strncmp(at, "prop:", strlen("prop:")) == 0)
            return true;
    }
    return false;
}

enum err_code share_check_query(const char *site_id, const struct query *query,
                                struct err *err)
{
    const char *asked = query_get(query, "site_id");
    const char *exact = query_get(query, "exact");
    const char *property = query_get(query, "property");
    const char *filters = query_get(query, "filters");

    if (!asked || strcmp(asked, site_id) != 0)
        return err_set(err, ERR_DENIED, "the key is of another site");
    if (exact && strcmp(exact, "false") != 0)
        return err_set(err, ERR_DENIED, "exact=true needs a token");
    if (property && strcmp(property, PROPERTY_KEYS) == 0)
        return err_set(err, ERR_DENIED, "prop needs a token");
    if ((property && is_of_props(property)) || (filters && is_of_props(filters)))
        return err_set(err, ERR_DENIED, "prop:* needs a token");
    return ERR_OK;
}

enum err_code share_add_link(const char *token, const char *base, const char *site_id,
                             struct buf *out, struct err *err)
{
    enum err_code code = buf_printf(out, "%s/site/", base);

    if (!code)
        code = add_escaped(site_id, '%', out);
    if (!code)
        code = buf_add_text(out, "#key=");
    if (code)
        return err_set(err, code, "could not make a link");
    return share_key_add(token, site_id, out, err);
}
