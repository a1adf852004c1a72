/* group.c -- see group.h. */
#include "ingestion/commit/group.h"

#include <stdio.h>
#include <string.h>

#include "shared/base/clock.h"
#include "shared/base/mem.h"
#include "shared/http/http.h"
#include "shared/redis/keys.h"

enum {
    HEAD_MAX = 64,      /* "*<count>\r\n$5\r\nLPUSH\r\n$14\r\n{events}:queue\r\n" */
    FIRST_WAITERS = 64, /* room in a new group */
    SPARE_GROUPS = 4,
    KEPT_BYTES = 262144, /* a spare group that grew beyond this is given back */
};

static const char line_end[] = {'\r', '\n'};

/* --- life ------------------------------------------------------------------- */

void group_free(struct group *group)
{
    if (!group)
        return;
    buf_release(&group->wire);
    mem_free(group->waiters);
    mem_free(group);
}

void group_clear(struct group *group)
{
    group->count = 0;
    group->first_unanswered = 0;
    group->wire.len = HEAD_MAX; /* was reserved when it was made */
}

struct group *group_new(void *owner, size_t max_bytes)
{
    struct group *group = mem_calloc(1, sizeof(*group));

    if (!group)
        return NULL;
    group->owner = owner;
    buf_init(&group->wire, max_bytes + HEAD_MAX);
    if (buf_reserve(&group->wire, HEAD_MAX) != ERR_OK) {
        group_free(group);
        return NULL;
    }
    group_clear(group);
    return group;
}

/* --- jobs ------------------------------------------------------------------- */

static enum err_code grow_waiters(struct group *group)
{
    size_t cap = group->cap ? 2 * group->cap : FIRST_WAITERS;
    struct waiter *waiters;

    waiters = mem_realloc(group->waiters, cap * sizeof(*waiters));
    if (!waiters)
        return ERR_NOMEM;
    group->waiters = waiters;
    group->cap = cap;
    return ERR_OK;
}

/* The bytes of "$<len>\r\n", which stands in front of a job. */
static size_t length_size(size_t len)
{
    size_t size = sizeof("$0\r\n") - 1;

    for (; len >= 10; len /= 10)
        size++;
    return size;
}

/* Writes them and returns what lies behind them. */
static char *put_length(char *out, size_t len)
{
    char *end = out + length_size(len);
    char *digit = end - 2;

    *out = '$';
    memcpy(digit, line_end, sizeof(line_end));
    do {
        *--digit = (char)('0' + len % 10);
        len /= 10;
    } while (len > 0);
    return end;
}

enum err_code group_add_place(struct group *group, size_t len, struct http_request *req,
                              int64_t deadline_ms, char **ret_job)
{
    struct buf *wire = &group->wire;
    enum err_code code = ERR_OK;
    size_t before = wire->len;
    char *job;

    if (req && group->count == group->cap)
        code = grow_waiters(group);
    if (!code)
        code = buf_reserve(wire, length_size(len) + len + sizeof(line_end));
    if (code)
        return code;
    if (req) {
        group->waiters[group->count] = (struct waiter){
            .req = req,
            .deadline_ms = deadline_ms,
            .offset = before,
            .taken_us = clock_mono_us(),
        };
    }
    job = put_length(wire->data + wire->len, len);
    memcpy(job + len, line_end, sizeof(line_end));
    wire->len = (size_t)(job - wire->data) + len + sizeof(line_end);
    group->count++;
    *ret_job = job;
    return ERR_OK;
}

enum err_code group_add(struct group *group, const char *job, size_t len,
                        struct http_request *req, int64_t deadline_ms)
{
    char *place;
    enum err_code code = group_add_place(group, len, req, deadline_ms, &place);

    if (!code)
        memcpy(place, job, len);
    return code;
}

bool group_next_job(const struct group *group, size_t *offset, const char **ret_job,
                    size_t *ret_len)
{
    const char *at = group->wire.data + HEAD_MAX + *offset;
    size_t len = 0;

    if (*offset >= group_bytes(group))
        return false;
    for (at++; *at != '\r'; at++) /* "$<len>\r\n<job>\r\n", written by put_length() */
        len = 10 * len + (size_t)(*at - '0');
    *ret_job = at + 2;
    *ret_len = len;
    *offset = (size_t)(*ret_job - group->wire.data) - HEAD_MAX + len + 2;
    return true;
}

size_t group_bytes(const struct group *group)
{
    return group->wire.len - HEAD_MAX;
}

/* Writes the head of the command in front of the jobs. */
const char *group_command(struct group *group, size_t *ret_len)
{
    char head[HEAD_MAX];
    int len =
        snprintf(head, sizeof(head), "*%zu\r\n$5\r\nLPUSH\r\n$14\r\n" KEY_QUEUE "\r\n",
                 group->count + 2);
    char *start = group->wire.data + HEAD_MAX - len;

    memcpy(start, head, (size_t)len);
    *ret_len = group_bytes(group) + (size_t)len;
    return start;
}

/* --- those who wait --------------------------------------------------------- */

static void answer(struct waiter *waiter, bool is_stored)
{
    struct http_request *req = waiter->req;

    waiter->req = NULL;
    if (req && is_stored)
        http_answer_ok(req);
    else if (req)
        http_answer_error(req, 503, "queue unavailable");
}

void group_answer(struct group *group, bool is_stored)
{
    if (!group->waiters)
        return;
    for (size_t i = group->first_unanswered; i < group->count; i++)
        answer(&group->waiters[i], is_stored);
    group->first_unanswered = group->count;
}

void group_expire(struct group *group, int64_t now_ms)
{
    while (group->waiters && group->first_unanswered < group->count &&
           group->waiters[group->first_unanswered].deadline_ms <= now_ms) {
        answer(&group->waiters[group->first_unanswered], false);
        group->first_unanswered++;
    }
}

bool group_is_expired(const struct group *group)
{
    return group->first_unanswered == group->count;
}

/* The bytes of the first `count` jobs. */
static size_t bytes_of(const struct group *group, size_t count)
{
    return count < group->count ? group->waiters[count].offset - HEAD_MAX
                                : group_bytes(group);
}

/* Takes the first `count` jobs out, and those who wait for them. */
static void drop_front(struct group *group, size_t count)
{
    struct buf *wire = &group->wire;
    size_t bytes = bytes_of(group, count);

    memmove(wire->data + HEAD_MAX, wire->data + HEAD_MAX + bytes,
            group_bytes(group) - bytes);
    memmove(group->waiters, group->waiters + count,
            (group->count - count) * sizeof(*group->waiters));
    wire->len -= bytes;
    group->count -= count;
    for (size_t i = 0; i < group->count; i++)
        group->waiters[i].offset -= bytes;
}

size_t group_compact(struct group *group)
{
    size_t bytes = bytes_of(group, group->first_unanswered);

    if (group->first_unanswered == 0)
        return 0;
    drop_front(group, group->first_unanswered);
    group->first_unanswered = 0;
    return bytes;
}

/* --- empty groups ------------------------------------------------------------ */

struct group *group_pool_take(struct group_pool *pool, void *owner)
{
    struct group *group = pool->first;

    if (!group)
        return group_new(owner, pool->max_bytes);
    pool->first = group->next;
    pool->count--;
    group->owner = owner;
    return group;
}

void group_pool_put(struct group_pool *pool, struct group *group)
{
    if (pool->count >= SPARE_GROUPS || group->wire.cap > KEPT_BYTES) {
        group_free(group);
        return;
    }
    group_clear(group);
    group->next = pool->first;
    pool->first = group;
    pool->count++;
}

void group_pool_release(struct group_pool *pool)
{
    while (pool->first) {
        struct group *group = pool->first;

        pool->first = group->next;
        group_free(group);
    }
    pool->count = 0;
}

struct group *group_cut(struct group *group, size_t max_bytes, struct group_pool *pool)
{
    struct group *head = group_pool_take(pool, group->owner);
    size_t count = 1;
    enum err_code code = head ? ERR_OK : ERR_NOMEM;

    while (count < group->count && bytes_of(group, count + 1) <= max_bytes)
        count++;
    while (!code && head->cap < count)
        code = grow_waiters(head);
    if (!code)
        code = buf_add(&head->wire, group->wire.data + HEAD_MAX, bytes_of(group, count));
    if (code) {
        group_free(head);
        return NULL;
    }
    memcpy(head->waiters, group->waiters, count * sizeof(*head->waiters));
    head->count = count;
    head->number = group->number;
    drop_front(group, count);
    return head;
}

/* --- lists ------------------------------------------------------------------ */

void group_list_append(struct group_list *list, struct group *group)
{
    group->next = NULL;
    *(list->last ? &list->last->next : &list->first) = group;
    list->last = group;
}

void group_list_put_back(struct group_list *list, struct group *group)
{
    struct group *before = NULL;
    struct group *behind = list->first;

    while (behind && behind->number < group->number) {
        before = behind;
        behind = behind->next;
    }
    group->next = behind;
    *(before ? &before->next : &list->first) = group;
    if (!behind)
        list->last = group;
}

void group_list_remove(struct group_list *list, struct group *group)
{
    struct group *before = NULL;

    for (struct group *at = list->first; at != group; at = at->next)
        before = at;
    *(before ? &before->next : &list->first) = group->next;
    if (list->last == group)
        list->last = before;
    group->next = NULL;
}

struct group *group_list_take(struct group_list *list)
{
    struct group *group = list->first;

    if (group)
        list->first = group->next;
    if (!list->first)
        list->last = NULL;
    return group;
}
