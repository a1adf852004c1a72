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

static enum err_code reserve_waiter(struct group *group)
{
    size_t cap = group->cap ? 2 * group->cap : FIRST_WAITERS;
    struct waiter *waiters;

    if (group->count < group->cap)
        return ERR_OK;
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
    enum err_code code = req ? reserve_waiter(group) : ERR_OK;
    size_t before = wire->len;
    char *job;

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

size_t group_compact(struct group *group)
{
    struct buf *wire = &group->wire;
    size_t skipped = group->first_unanswered;
    size_t start = skipped < group->count ? group->waiters[skipped].offset : wire->len;
    size_t cut = start - HEAD_MAX;

    if (skipped == 0)
        return 0;
    memmove(wire->data + HEAD_MAX, wire->data + start, wire->len - start);
    memmove(group->waiters, group->waiters + skipped,
            (group->count - skipped) * sizeof(*group->waiters));
    wire->len -= cut;
    group->count -= skipped;
    group->first_unanswered = 0;
    for (size_t i = 0; i < group->count; i++)
        group->waiters[i].offset -= cut;
    return cut;
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
