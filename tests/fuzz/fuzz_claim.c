/* fuzz_claim.c -- what a processor makes of Redis's answers.
 *
 * The first line of the input says what is asked, a letter each (see ask()); the rest is
 * all that Redis ever sends.  A claim is made of bytes that were sent, each of its jobs
 * can be read, a number that is passed on was sent as one, and after anything that is no
 * answer to the question nothing is asked on that connection any more.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "processor/queue/parts.h"
#include "processor/queue/queue.h"
#include "processor/store/batch.h"
#include "shared/event/event.h"
#include "shared/redis/reader.h"
#include "tests/fuzz/fuzz.h"

enum {
    QUESTIONS_MAX = 12,
    ANSWERS_MAX = 16384, /* far less than a socket takes without a reader */
    PATIENCE_US = 20000  /* to write a question that does not fit into the socket */
};

struct answers {
    const char *bytes;
    size_t len;
};

static int server = -1; /* Redis's end of the connection */
static struct queue *queue;
static struct event_parser *parser;
static struct batch batch;

static void make_queue(void)
{
    /* Nobody listens there: a connection that was dropped stays dropped. */
    static const struct redis_url nowhere = {.host = "/nonexistent/redis",
                                             .is_unix = true};
    struct queue_options options = {.url = &nowhere,
                                    .timeout_ms = 1000,
                                    .lease_ms = 30000,
                                    .batch_max = 5000,
                                    .batch_max_bytes = 1 << 20};

    if (queue)
        return;
    queue = queue_new(&options);
    parser = event_parser_new();
    MUST(queue && parser);
    batch_init(&batch);
}

/* Connects the queue to somebody who has said everything and left. */
static void connect_to(const struct answers *answers)
{
    struct timeval patience = {.tv_usec = PATIENCE_US};
    int ends[2];

    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    MUST(send(ends[1], answers->bytes, answers->len, 0) == (ssize_t)answers->len);
    MUST(shutdown(ends[1], SHUT_WR) == 0);
    queue->context = redisConnectFd(ends[0]);
    MUST(queue->context && !queue->context->err);
    MUST(redisSetTimeout(queue->context, patience) == REDIS_OK);
    redis_reader_bound(queue->context->reader);
    server = ends[1];
}

static void disconnect(void)
{
    if (queue->context)
        redisFree(queue->context);
    queue->context = NULL;
    queue->unsure_id[0] = '\0';
    (void)close(server);
}

static void must_have_sent(const struct answers *answers, const void *bytes, size_t len)
{
    MUST(len == 0 || memmem(answers->bytes, answers->len, bytes, len));
}

static bool have_sent_number(const struct answers *answers, int64_t number)
{
    const char *end = answers->bytes + answers->len;
    const char *at = answers->bytes;

    while ((at = memchr(at, ':', (size_t)(end - at))) != NULL) {
        char text[24] = "";
        size_t len = (size_t)(end - ++at);

        memcpy(text, at, len < sizeof(text) - 1 ? len : sizeof(text) - 1);
        if (strtoll(text, NULL, 10) == number)
            return true;
    }
    return false;
}

static void check_claim(const struct answers *answers, const struct claim *claim)
{
    struct err err;

    MUST(memchr(claim->id, '\0', sizeof(claim->id)));
    must_have_sent(answers, claim->id, strlen(claim->id));
    MUST(claim->suspect_hits < INT32_MAX);
    MUST(claim->attempts > 0);
    batch_begin(&batch, claim->id);
    for (size_t place = 0; place < claim->count; place++) {
        size_t len;
        const char *job = claim_job(claim, place, &len);

        MUST(job);
        must_have_sent(answers, job, len);
        MUST(batch_add(&batch, parser, place, job, len, &err) == ERR_OK);
    }
    MUST(batch.count == claim->count);
}

static enum err_code ask_claim(char question, const struct answers *answers,
                               struct err *err)
{
    struct claim claim = {.suspect = -1};
    enum err_code code = ERR_OK;

    if (question == 'b')
        code = queue_claim_begin(queue, &claim, err);
    else if (question == 'f')
        code = queue_claim_fill(queue, &claim, err);
    else
        code = queue_claim(queue, &claim, err);
    if (!code && claim.count > 0 && claim.pieces)
        check_claim(answers, &claim);
    queue_drop_claim(&claim);
    return code;
}

static enum err_code ask_push(const struct answers *answers, struct err *err)
{
    const struct queue_job job = {.bytes = "{}", .len = 2};
    enum err_code code = queue_push(queue, &job, 1, err);

    if (!code)
        MUST(memchr(answers->bytes, ':', answers->len));
    return code;
}

static enum err_code ask_ack(const struct answers *answers, struct err *err)
{
    int64_t total;
    enum err_code code = queue_ack(queue, "a", 1, 1, &total, err);

    if (!code)
        MUST(have_sent_number(answers, total));
    return code;
}

static enum err_code ask(char question, const struct answers *answers, struct err *err)
{
    char cursor[QUEUE_CURSOR_MAX] = "";
    bool is_yes;
    size_t found;

    switch (question) {
    case 'a':
        return ask_ack(answers, err);
    case 'w':
        return queue_claim_wait(queue, &is_yes, err);
    case 'r':
        return queue_renew(queue, "a", queue_owner(queue), &is_yes, err);
    case 'o':
        return queue_adopt_orphans(queue, cursor, 1000, &found, err);
    case 'p':
        return ask_push(answers, err);
    case 'n':
        return queue_note(queue, "a", "why", err);
    case 'm':
        return queue_mark(queue, "a", 1, 1, err);
    case 'h':
        return queue_hand_back(queue, "a", queue_owner(queue), err);
    case 'i':
        return queue_ping(queue, err);
    default:
        return ask_claim(question, answers, err);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line_feed = size ? memchr(data, '\n', size) : NULL;
    struct answers answers;
    size_t questions;

    if (!line_feed || line_feed - data > QUESTIONS_MAX)
        return 0;
    questions = (size_t)(line_feed - data);
    answers.bytes = (const char *)line_feed + 1;
    answers.len = size - questions - 1;
    if (answers.len > ANSWERS_MAX)
        return 0;
    make_queue();
    connect_to(&answers);
    for (size_t i = 0; i < questions && queue->context; i++) {
        struct err err = {.code = ERR_OK};
        enum err_code code = ask((char)data[i], &answers, &err);

        MUST(code == ERR_OK || (err.code == code && err.msg[0] != '\0'));
    }
    disconnect();
    return 0;
}
