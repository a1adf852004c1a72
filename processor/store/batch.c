/* batch.c -- see batch.h. */
#include "processor/store/batch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "processor/store/copy.h"
#include "shared/base/fnv.h"
#include "shared/base/mem.h"
#include "shared/event/event.h"

enum {
    FIRST_CAP = 256,
    ROWS_MAX_BYTES = 1 << 30, /* far above any claim, see BATCH_MAX_BYTES */
};

void batch_init(struct batch *batch)
{
    *batch = (struct batch){.count = 0};
    buf_init(&batch->rows, ROWS_MAX_BYTES);
    buf_init(&batch->sites, ROWS_MAX_BYTES);
}

static void forget_items(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        mem_free(batch->items[i].reason);
    batch->count = 0;
    batch->dead = 0;
}

void batch_release(struct batch *batch)
{
    forget_items(batch);
    mem_free(batch->items);
    buf_release(&batch->rows);
    buf_release(&batch->sites);
    *batch = (struct batch){.count = 0};
}

/* Batch ids are UUIDs; of another text, which only a person can have put there, a UUID is
 * made. */
static struct uuid uuid_of_id(const char *id)
{
    struct uuid uuid;
    uint64_t high;
    uint64_t low;

    if (uuid_parse(id, strlen(id), &uuid) == ERR_OK)
        return uuid;
    high = fnv_bytes(FNV_START, id, strlen(id));
    low = fnv_bytes(high ^ UINT64_C(0x9e3779b97f4a7c15), id, strlen(id));
    for (size_t i = 0; i < 8; i++) {
        uuid.bytes[i] = (uint8_t)(high >> (8 * i) & 0xff);
        uuid.bytes[8 + i] = (uint8_t)(low >> (8 * i) & 0xff);
    }
    return uuid;
}

void batch_begin(struct batch *batch, const char *id)
{
    forget_items(batch);
    buf_clear(&batch->rows);
    buf_clear(&batch->sites);
    batch->columns = (struct copy_columns){.count = 0};
    (void)snprintf(batch->id, sizeof(batch->id), "%s", id);
    batch->uuid = uuid_of_id(id);
}

struct uuid batch_event_id(const struct uuid *batch, size_t place)
{
    struct uuid uuid = *batch;
    size_t rest = place;

    /* Version 8, "made by rules of one's own" (RFC 9562): never equal to an id that was
     * given at the door.  The place goes into bytes that are random in the batch's id. */
    uuid.bytes[6] = (uint8_t)(0x80 | (uuid.bytes[6] & 0x0f));
    uuid.bytes[8] = (uint8_t)(0x80 | (uuid.bytes[8] & 0x3f));
    for (size_t i = 15; i > 11; i--) {
        uuid.bytes[i] = (uint8_t)(uuid.bytes[i] ^ (rest & 0xff));
        rest >>= 8;
    }
    return uuid;
}

static enum err_code grow(struct batch *batch, struct err *err)
{
    size_t cap = batch->cap ? batch->cap * 2 : FIRST_CAP;
    struct batch_item *items;

    if (batch->count < batch->cap)
        return ERR_OK;
    items = mem_realloc(batch->items, cap * sizeof(*items));
    if (!items)
        return err_set(err, ERR_NOMEM, "out of memory");
    batch->items = items;
    batch->cap = cap;
    return ERR_OK;
}

enum err_code batch_add_dead(struct batch *batch, size_t place, const char *job,
                             size_t len, const char *reason, struct err *err)
{
    enum err_code code = grow(batch, err);
    char *copy;

    if (code)
        return code;
    copy = mem_strdup(reason);
    if (!copy)
        return err_set(err, ERR_NOMEM, "out of memory");
    batch->items[batch->count++] = (struct batch_item){
        .place = place,
        .job = job,
        .job_len = len,
        .event_id = batch_event_id(&batch->uuid, place),
        .is_dead = true,
        .reason = copy,
    };
    batch->dead++;
    return ERR_OK;
}

enum err_code batch_add(struct batch *batch, struct event_parser *parser, size_t place,
                        const char *job, size_t len, struct err *err)
{
    struct event event;
    struct err refusal;
    struct batch_item item = {
        .place = place, .job = job, .job_len = len, .row_at = batch->rows.len};
    enum err_code code = grow(batch, err);

    if (code)
        return code;
    code = event_parse_job(parser, job, len, &event, &refusal);
    if (code == ERR_NOMEM)
        return err_set(err, code, "out of memory");
    if (code)
        return batch_add_dead(batch, place, job, len, refusal.msg, err);
    item.is_made = !event.has_event_id;
    item.event_id =
        event.has_event_id ? event.event_id : batch_event_id(&batch->uuid, place);
    item.timestamp_ms = event.timestamp_ms;
    item.site_at = batch->sites.len;
    item.site_len = event.site_id.len;
    if (buf_add(&batch->sites, event.site_id.bytes, event.site_id.len) ||
        copy_add_row(&batch->rows, &item.event_id, &event, &batch->columns))
        return err_set(err, ERR_NOMEM, "out of memory");
    item.row_len = batch->rows.len - item.row_at;
    batch->items[batch->count++] = item;
    return ERR_OK;
}

static bool is_complete(const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_item *item = &batch->items[i];

        if (item->row_len > 0 &&
            !copy_is_complete(batch->rows.data + item->row_at, &batch->columns))
            return false;
    }
    return true;
}

enum err_code batch_complete(struct batch *batch, struct err *err)
{
    struct buf rows;
    enum err_code code = ERR_OK;

    if (is_complete(batch))
        return ERR_OK;
    buf_init(&rows, ROWS_MAX_BYTES);
    for (size_t i = 0; i < batch->count && !code; i++) {
        struct batch_item *item = &batch->items[i];
        size_t at = rows.len;

        if (item->row_len == 0)
            continue;
        code = copy_add_complete(&rows, batch->rows.data + item->row_at, item->row_len,
                                 -1, &batch->columns);
        item->row_at = at;
        item->row_len = rows.len - at;
    }
    if (code) { /* its items are of no use now: the owner fills it anew */
        buf_release(&rows);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    buf_release(&batch->rows);
    batch->rows = rows;
    return ERR_OK;
}

static int compare_items(const void *left, const void *right)
{
    const struct batch_item *a = left;
    const struct batch_item *b = right;
    int order = 0;

    if (a->timestamp_ms != b->timestamp_ms)
        return a->timestamp_ms < b->timestamp_ms ? -1 : 1;
    if (a->is_made != b->is_made)
        return a->is_made ? 1 : -1;
    if (!a->is_made)
        order = memcmp(a->event_id.bytes, b->event_id.bytes, sizeof(a->event_id.bytes));
    if (order != 0)
        return order;
    return a->place < b->place ? -1 : a->place > b->place;
}

void batch_sort(struct batch *batch)
{
    for (size_t i = 1; i < batch->count; i++) {
        if (compare_items(&batch->items[i - 1], &batch->items[i]) > 0) {
            qsort(batch->items, batch->count, sizeof(*batch->items), compare_items);
            return;
        }
    }
}

enum err_code batch_bury(struct batch *batch, size_t index, const char *sqlstate,
                         const char *reason, struct err *err)
{
    struct batch_item *item = &batch->items[index];

    assert(index < batch->count && !item->is_dead);
    item->reason = mem_strdup(reason);
    if (!item->reason)
        return err_set(err, ERR_NOMEM, "out of memory");
    (void)snprintf(item->sqlstate, sizeof(item->sqlstate), "%s", sqlstate);
    item->is_dead = true;
    batch->dead++;
    return ERR_OK;
}

size_t batch_alive(const struct batch *batch)
{
    return batch->count - batch->dead;
}

size_t batch_alive_index(const struct batch *batch, size_t n)
{
    assert(n < batch_alive(batch)); /* the caller's mistake: no such row is alive */
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->items[i].is_dead)
            continue;
        if (n == 0)
            return i;
        n--;
    }
    return batch->count; /* not reached */
}
