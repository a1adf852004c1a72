/* push.c -- jobs into the queue; see queue.h. */
#include <assert.h>
#include <limits.h>

#include "processor/queue/parts.h"
#include "processor/queue/queue.h"
#include "shared/base/mem.h"

enum {
    WORDS = 2 /* LPUSH and the key */
};

enum err_code queue_push(struct queue *queue, const struct queue_job *jobs, size_t count,
                         struct err *err)
{
    const char **texts = mem_calloc(count + WORDS, sizeof(*texts));
    size_t *lens = mem_calloc(count + WORDS, sizeof(*lens));
    redisReply *reply = NULL;
    enum err_code code = ERR_OK;

    assert(count < INT_MAX - WORDS);
    if (!texts || !lens)
        code = err_set(err, ERR_NOMEM, "out of memory");
    if (!code)
        code = queue_connect(queue, err);
    if (code)
        goto out;
    texts[0] = "LPUSH";
    texts[1] = KEY_QUEUE;
    for (size_t i = 0; i < WORDS; i++)
        lens[i] = strlen(texts[i]);
    for (size_t i = 0; i < count; i++) {
        texts[WORDS + i] = jobs[i].bytes;
        lens[WORDS + i] = jobs[i].len;
    }
    code = queue_send(queue, (int)count + WORDS, texts, lens, "could not push jobs",
                      &reply, err);
    if (!code && reply->type != REDIS_REPLY_INTEGER)
        code = queue_strange(queue, reply, "could not push jobs", err);
    else if (!code)
        freeReplyObject(reply);
out:
    mem_free(texts);
    mem_free(lens);
    return code;
}
