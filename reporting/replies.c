/* replies.c -- see replies.h. */
#include "reporting/replies.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <zlib.h>

#include "reporting/metrics.h"
#include "reporting/report/render.h"
#include "shared/base/buf.h"
#include "shared/base/mem.h"
#include "shared/base/siphash.h"
#include "shared/http/http.h"

enum {
    BUCKETS = 1024,
    VERSION_SIZE = 64,
    KEY_MAX_BYTES = 16384,
    KEPT_MAX_BYTES = 262144,    /* of one answer */
    PACK_MIN_BYTES = 1024,      /* less would not become fewer packets */
    PACK_MAX_BYTES = 1048576,   /* more would hold up the loop */
    PACKED_MAX_BYTES = 2097152, /* what does not pack becomes a little longer */
    PACK_WINDOW_BITS = 31,      /* the largest window, and the form of gzip */
    PACK_MEMORY = 8,            /* zlib's default */
    ETAG_SIZE = sizeof("\"0123456789abcdef\"")
};

/* An answer under its key. */
struct kept {
    TAILQ_ENTRY(kept) in_bucket;
    TAILQ_ENTRY(kept) in_all;
    uint64_t hash;
    size_t key_len;
    size_t body_len;
    bool is_packed;
    char bytes[]; /* the key, the body */
};

TAILQ_HEAD(kept_list, kept);

struct replies {
    struct reporting_metrics *metrics;
    size_t max_bytes;
    size_t bytes;
    char version[VERSION_SIZE]; /* of all that is kept */
    struct kept_list all;       /* the oldest first */
    struct kept_list buckets[BUCKETS];
};

/* --- life -------------------------------------------------------------------------- */

struct replies *replies_new(int64_t max_bytes, struct reporting_metrics *metrics)
{
    struct replies *replies = mem_calloc(1, sizeof(*replies));

    if (!replies)
        return NULL;
    replies->metrics = metrics;
    replies->max_bytes = (size_t)max_bytes;
    TAILQ_INIT(&replies->all);
    for (size_t i = 0; i < BUCKETS; i++)
        TAILQ_INIT(&replies->buckets[i]);
    return replies;
}

static size_t size_of(const struct kept *kept)
{
    return sizeof(*kept) + kept->key_len + kept->body_len;
}

static void drop_oldest(struct replies *replies)
{
    struct kept *kept = TAILQ_FIRST(&replies->all);

    TAILQ_REMOVE(&replies->all, kept, in_all);
    TAILQ_REMOVE(&replies->buckets[kept->hash % BUCKETS], kept, in_bucket);
    replies->bytes -= size_of(kept);
    mem_free(kept);
}

static void drop_all(struct replies *replies)
{
    while (!TAILQ_EMPTY(&replies->all))
        drop_oldest(replies);
}

void replies_free(struct replies *replies)
{
    if (!replies)
        return;
    drop_all(replies);
    mem_free(replies);
}

/* --- questions ----------------------------------------------------------------------- */

static uint64_t hash_of(const void *bytes, size_t len)
{
    static const uint8_t any[16] = "reporting answer"; /* nobody gains by a collision */
    struct siphash_key key = siphash_key_of(any);
    struct siphash_state state = siphash_begin(&key);

    siphash_add(&state, bytes, len);
    return siphash_end(&state);
}

static enum err_code add_text(struct buf *key, const char *bytes, size_t len)
{
    enum err_code code = buf_printf(key, "%zu:", bytes ? len + 1 : 0);

    return code || !bytes ? code : buf_add(key, bytes, len);
}

/* All that an answer depends on: its form, the statement with its values, and what the
 * renderer is told. */
static enum err_code make_key(struct buf *key, enum statement_id source,
                              const struct ask *ask, bool is_packed, const char *version)
{
    enum err_code code =
        buf_printf(key, "%s %d %d %d %d %d %d", version, (int)source, is_packed,
                   ask->is_csv, ask->compares, ask->limit, (int)ask->metric_count);

    for (size_t i = 0; i < ask->metric_count && !code; i++)
        code = buf_printf(key, ",%d", (int)ask->metrics[i]);
    for (size_t i = 0; i < ASK_TEXT_COUNT && !code; i++)
        code = add_text(key, ask->texts[i].bytes, ask->texts[i].len);
    return code;
}

static struct kept *find(const struct replies *replies, const struct buf *key)
{
    uint64_t hash = hash_of(key->data, key->len);
    struct kept *kept;

    TAILQ_FOREACH (kept, &replies->buckets[hash % BUCKETS], in_bucket) {
        if (kept->hash == hash && kept->key_len == key->len &&
            memcmp(kept->bytes, key->data, key->len) == 0)
            return kept;
    }
    return NULL;
}

static void keep(struct replies *replies, const struct buf *key, const struct buf *body,
                 bool is_packed)
{
    struct kept *kept;
    size_t size = sizeof(*kept) + key->len + body->len;

    if (body->len > KEPT_MAX_BYTES || size > replies->max_bytes || find(replies, key))
        return;
    kept = mem_alloc(size);
    if (!kept)
        return; /* it is made anew the next time */
    *kept = (struct kept){.hash = hash_of(key->data, key->len),
                          .key_len = key->len,
                          .body_len = body->len,
                          .is_packed = is_packed};
    memcpy(kept->bytes, key->data, key->len);
    memcpy(kept->bytes + key->len, body->data, body->len);
    replies->bytes += size;
    TAILQ_INSERT_TAIL(&replies->all, kept, in_all);
    TAILQ_INSERT_TAIL(&replies->buckets[kept->hash % BUCKETS], kept, in_bucket);
    while (replies->bytes > replies->max_bytes)
        drop_oldest(replies);
}

/* --- sending --------------------------------------------------------------------------- */

static void print_etag(uint64_t hash, char out[ETAG_SIZE])
{
    (void)snprintf(out, ETAG_SIZE, "\"%016" PRIx64 "\"", hash);
}

static void send_as(struct http_request *req, unsigned status, const struct ask *ask,
                    const char *etag, bool is_packed, const char *body, size_t len)
{
    const struct http_header headers[] = {
        {"ETag", etag},
        /* To be kept, and asked for each time; what a token opens is in no browser's files. */
        {"Cache-Control", http_is_private(req) ? "no-store" : "private, no-cache"},
        {"Vary", "Accept, Accept-Encoding"},
        {is_packed ? "Content-Encoding" : NULL, "gzip"},
        {0}};
    const struct http_reply reply = {
        .status = status,
        .content_type = status == 304 ? NULL
                        : ask->is_csv ? RENDER_CSV_TYPE
                                      : HTTP_TYPE_JSON,
        .headers = headers,
        .body = body,
        .len = len,
    };

    http_answer_reply(req, &reply);
}

static enum err_code pack(const struct buf *body, struct buf *out)
{
    z_stream stream = {0};
    enum err_code code;
    int status;

    if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, PACK_WINDOW_BITS, PACK_MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return ERR_NOMEM;
    code = buf_reserve(out, deflateBound(&stream, body->len));
    stream.next_in = (z_const Bytef *)body->data;
    stream.avail_in = (uInt)body->len;
    stream.next_out = (Bytef *)out->data;
    stream.avail_out = code ? 0 : (uInt)out->cap;
    status = code ? Z_BUF_ERROR : deflate(&stream, Z_FINISH);
    out->len = stream.total_out;
    (void)deflateEnd(&stream);
    return status == Z_STREAM_END ? ERR_OK : ERR_NOMEM;
}

static bool is_packable(const struct http_request *req, const struct buf *body)
{
    return http_takes_gzip(req) && body->len >= PACK_MIN_BYTES &&
           body->len <= PACK_MAX_BYTES;
}

bool replies_wants_csv(const struct http_request *req)
{
    const char *accept = http_request_header(req, "Accept");

    return accept && strncmp(accept, "text/csv", strlen("text/csv")) == 0;
}

/* What was kept under another version is of no use any more: versions do not come back. */
static void set_version(struct replies *replies, const char *version)
{
    if (strcmp(replies->version, version) == 0)
        return;
    drop_all(replies);
    (void)snprintf(replies->version, sizeof(replies->version), "%s", version);
}

bool replies_answer(struct replies *replies, struct http_request *req,
                    enum statement_id source, const struct ask *ask, const char *version)
{
    char etag[ETAG_SIZE];
    const struct kept *kept = NULL;
    struct buf key;
    bool is_answered = false;

    set_version(replies, version);
    buf_init(&key, KEY_MAX_BYTES);
    if (make_key(&key, source, ask, http_takes_gzip(req), version) == ERR_OK) {
        print_etag(hash_of(key.data, key.len), etag);
        is_answered = http_has_etag(req, etag);
        kept = is_answered ? NULL : find(replies, &key);
        if (is_answered)
            send_as(req, 304, ask, etag, false, "", 0);
        else if (kept)
            send_as(req, 200, ask, etag, kept->is_packed, kept->bytes + kept->key_len,
                    kept->body_len);
    }
    if (kept)
        metric_add(&replies->metrics->answers_reused, 1);
    buf_release(&key);
    return is_answered || kept;
}

/* Of an answer without a version the bytes themselves are what the tag is made of. */
static void send_body(struct replies *replies, struct http_request *req,
                      const struct ask *ask, const struct buf *key,
                      const struct buf *body, bool is_packed)
{
    const struct buf *tagged = key->len > 0 ? key : body;
    char etag[ETAG_SIZE];

    print_etag(hash_of(tagged->data, tagged->len), etag);
    if (key->len > 0)
        keep(replies, key, body, is_packed);
    else if (http_has_etag(req, etag)) {
        send_as(req, 304, ask, etag, false, "", 0);
        return;
    }
    send_as(req, 200, ask, etag, is_packed, body->data, body->len);
}

void replies_send(struct replies *replies, struct http_request *req,
                  enum statement_id source, const struct ask *ask, const char *version,
                  const struct buf *body)
{
    struct buf packed;
    struct buf key;
    bool is_packed = is_packable(req, body);

    buf_init(&packed, PACKED_MAX_BYTES);
    buf_init(&key, KEY_MAX_BYTES);
    if (version && strcmp(version, replies->version) == 0 &&
        make_key(&key, source, ask, http_takes_gzip(req), version))
        buf_clear(&key); /* too long a question is not kept */
    is_packed = is_packed && pack(body, &packed) == ERR_OK;
    send_body(replies, req, ask, &key, is_packed ? &packed : body, is_packed);
    buf_release(&packed);
    buf_release(&key);
}
