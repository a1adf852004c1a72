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
    KEPT_BYTES = 1048576, /* a spare group that grew beyond this is given back */
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
    group->waiter_count = 0;
    group->first_unanswered = 0;
    group->answer_bytes = 0;
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

/* The bytes of "$<len>\r\n", which stands in front of a job. */
static size_t length_size(size_t len)
{
    size_t size = sizeof("$0\r\n") - 1;

    for (; len >= 10; len /= 10)
        size++;
    return size;
}

/* Writes them and returns the end of them. */
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

enum err_code group_add_place(struct group *group, size_t len, char **ret_job)
{
    struct buf *wire = &group->wire;
    enum err_code code = buf_reserve(wire, length_size(len) + len + sizeof(line_end));
    char *job;

    if (code)
        return code;
    job = put_length(wire->data + wire->len, len);
    memcpy(job + len, line_end, sizeof(line_end));
    wire->len = (size_t)(job - wire->data) + len + sizeof(line_end);
    group->count++;
    *ret_job = job;
    return ERR_OK;
}

enum err_code group_add(struct group *group, const char *job, size_t len)
{
    char *place;
    enum err_code code = group_add_place(group, len, &place);

    if (!code)
        memcpy(place, job, len);
    return code;
}

struct group_mark group_mark(const struct group *group)
{
    return (struct group_mark){.count = group->count, .offset = group->wire.len};
}

void group_take_back(struct group *group, struct group_mark mark)
{
    group->count = mark.count;
    group->wire.len = mark.offset;
}

enum err_code group_move(struct group *group, struct group_mark mark, struct group *to)
{
    enum err_code code =
        buf_add(&to->wire, group->wire.data + mark.offset, group->wire.len - mark.offset);

    if (code)
        return code;
    to->count += group->count - mark.count;
    group_take_back(group, mark);
    return ERR_OK;
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

size_t group_memory(const struct group *group)
{
    return group_bytes(group) + group->answer_bytes;
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

static enum err_code grow_waiters(struct group *group)
{
    size_t cap = group->waiter_cap ? 2 * group->waiter_cap : FIRST_WAITERS;
    struct waiter *waiters;

    waiters = mem_realloc(group->waiters, cap * sizeof(*waiters));
    if (!waiters)
        return ERR_NOMEM;
    group->waiters = waiters;
    group->waiter_cap = cap;
    return ERR_OK;
}

enum err_code group_wait(struct group *group, struct group_mark mark,
                         const struct waiter *waiter)
{
    struct waiter *place;

    if (group->waiter_count == group->waiter_cap && grow_waiters(group) != ERR_OK)
        return ERR_NOMEM;
    place = &group->waiters[group->waiter_count++];
    *place = *waiter;
    place->taken_us = clock_mono_us();
    place->offset = mark.offset;
    place->jobs = group->count - mark.count;
    group->answer_bytes += place->answer_len;
    return ERR_OK;
}

static void answer(struct waiter *waiter, bool is_stored)
{
    struct http_request *req = waiter->req;
    char *text = waiter->answer;

    waiter->req = NULL;
    waiter->answer = NULL;
    if (req && !is_stored)
        http_answer_error(req, 503, "queue unavailable");
    else if (req && text)
        http_answer_json(req, 200, text, waiter->answer_len);
    else if (req)
        http_answer_ok(req);
    mem_free(text);
}

void group_answer(struct group *group, bool is_stored)
{
    for (size_t i = group->first_unanswered; i < group->waiter_count; i++)
        answer(&group->waiters[i], is_stored);
    group->first_unanswered = group->waiter_count;
}

size_t group_expire(struct group *group, int64_t now_ms)
{
    size_t jobs = 0;

    for (; group->first_unanswered < group->waiter_count; group->first_unanswered++) {
        struct waiter *waiter = &group->waiters[group->first_unanswered];
        if (waiter->deadline_ms > now_ms)
            break;
        jobs += waiter->jobs;
        answer(waiter, false);
    }
    return jobs;
}

/* The jobs of the first `count` waiters, and their bytes. */
static size_t jobs_of(const struct group *group, size_t count)
{
    size_t jobs = 0;

    for (size_t i = 0; i < count; i++)
        jobs += group->waiters[i].jobs;
    return jobs;
}

static size_t bytes_of(const struct group *group, size_t count)
{
    return count < group->waiter_count ? group->waiters[count].offset - HEAD_MAX
                                       : group_bytes(group);
}

static size_t answer_bytes_of(const struct group *group, size_t count)
{
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        bytes += group->waiters[i].answer_len;
    return bytes;
}

size_t group_awaited(const struct group *group)
{
    return group->waiter_count ? group->count - jobs_of(group, group->first_unanswered)
                               : 0;
}

bool group_is_expired(const struct group *group)
{
    return group->first_unanswered == group->waiter_count;
}

/* Takes the first `count` waiters out, and their jobs. */
static void drop_front(struct group *group, size_t count)
{
    struct buf *wire = &group->wire;
    size_t bytes = bytes_of(group, count);

    group->count -= jobs_of(group, count);
    group->answer_bytes -= answer_bytes_of(group, count);
    memmove(wire->data + HEAD_MAX, wire->data + HEAD_MAX + bytes,
            group_bytes(group) - bytes);
    wire->len -= bytes;
    group->waiter_count -= count;
    memmove(group->waiters, group->waiters + count,
            group->waiter_count * sizeof(*group->waiters));
    for (size_t i = 0; i < group->waiter_count; i++)
        group->waiters[i].offset -= bytes;
}

void group_compact(struct group *group)
{
    if (group->first_unanswered == 0)
        return;
    drop_front(group, group->first_unanswered);
    group->first_unanswered = 0;
}

/* --- lists ------------------------------------------------------------------ */

void group_list_put_back(struct group_list *list, struct group *group)
{
    struct group *younger = TAILQ_FIRST(list);

    while (younger && younger->number < group->number)
        younger = TAILQ_NEXT(younger, entry);
    if (younger)
        TAILQ_INSERT_BEFORE(younger, group, entry);
    else
        TAILQ_INSERT_TAIL(list, group, entry);
}

struct group *group_list_take(struct group_list *list)
{
    struct group *group = TAILQ_FIRST(list);

    if (group)
        TAILQ_REMOVE(list, group, entry);
    return group;
}

/* --- empty groups ------------------------------------------------------------ */

void group_pool_init(struct group_pool *pool, size_t max_bytes)
{
    *pool = (struct group_pool){.max_bytes = max_bytes};
    TAILQ_INIT(&pool->groups);
}

struct group *group_pool_take(struct group_pool *pool, void *owner)
{
    struct group *group = group_list_take(&pool->groups);

    if (!group)
        return group_new(owner, pool->max_bytes);
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
    TAILQ_INSERT_HEAD(&pool->groups, group, entry); /* warm in the cache */
    pool->count++;
}

void group_pool_release(struct group_pool *pool)
{
    struct group *group;

    while ((group = group_list_take(&pool->groups)) != NULL)
        group_free(group);
    pool->count = 0;
}

/* How many of the first waiters fit, one at least. */
static size_t fitting(const struct group *group, size_t max_bytes)
{
    size_t count = 1;

    while (count < group->waiter_count && bytes_of(group, count + 1) <= max_bytes)
        count++;
    return count;
}

struct group *group_cut(struct group *group, size_t max_bytes, struct group_pool *pool)
{
    struct group *head = group_pool_take(pool, group->owner);
    size_t count = fitting(group, max_bytes);
    enum err_code code = head ? ERR_OK : ERR_NOMEM;

    while (!code && head->waiter_cap < count)
        code = grow_waiters(head);
    if (!code)
        code = buf_add(&head->wire, group->wire.data + HEAD_MAX, bytes_of(group, count));
    if (code) {
        group_free(head);
        return NULL;
    }
    memcpy(head->waiters, group->waiters, count * sizeof(*head->waiters));
    head->waiter_count = count;
    head->count = jobs_of(group, count);
    head->answer_bytes = answer_bytes_of(group, count);
    head->number = group->number;
    drop_front(group, count);
    return head;
}
