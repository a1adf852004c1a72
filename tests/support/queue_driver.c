/* queue_driver.c -- one worker of the queue, taken step by step: the processor's own code
 * for claims, batches and acknowledgements, without its threads.
 *
 * Reads a word a line from stdin and answers with one JSON object a line on stdout.
 *
 *   begin wait fill read seal    the steps of queue_claim(); see processor/queue/parts.h
 *   store                  the claimed jobs into Postgres, one try
 *   ack hand-back renew forget adopt ping     as the functions of ingestion/commit/committer.h
 *   lose                   the answer to the next step will be lost
 *   cut                    the next step will not be sent
 *   drop                   forgets the claim, as a worker does that has lost it
 *
 * Settings come from the environment, as the processor's.  It is crashed by a signal. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "processor/conf.h"
#include "processor/queue/parts.h"
#include "processor/queue/queue.h"
#include "processor/store/batch.h"
#include "processor/store/store.h"
#include "shared/event/event.h"
#include "shared/text/json.h"

enum {
    ANSWER_MAX = 1 << 24,
    WORD_MAX = 64
};

struct driver {
    struct queue *queue;
    struct event_parser *parser;
    struct batch batch;
    struct store store;
    struct claim claim;
    struct buf out;
    size_t stored;
    enum trouble {
        TROUBLE_NONE,
        TROUBLE_LOSE,
        TROUBLE_CUT
    } trouble; /* of the next step */
};

/* The test sees that the program has ended and what it said. */
static void must(enum err_code code, const char *what)
{
    if (code == ERR_OK)
        return;
    (void)fprintf(stderr, "queue_driver: %s: %s\n", what, err_name(code));
    abort();
}

/* From here on nothing that Redis sends arrives, or nothing that it is sent. */
static void make_trouble(struct driver *driver)
{
    if (driver->trouble != TROUBLE_NONE &&
        driver->queue->context) /* or it is lost anyway */
        (void)shutdown(driver->queue->context->fd,
                       driver->trouble == TROUBLE_LOSE ? SHUT_RD : SHUT_WR);
    driver->trouble = TROUBLE_NONE;
}

static enum err_code answer_claim(struct driver *driver)
{
    const struct claim *claim = &driver->claim;

    must(buf_printf(&driver->out, "\"id\":\"%s\",\"attempts\":%lld,\"count\":%zu,",
                    claim->id, (long long)claim->attempts, claim->count),
         "answer");
    return ERR_OK;
}

static enum err_code answer_jobs(struct driver *driver)
{
    const struct claim *claim = &driver->claim;

    must(buf_add_text(&driver->out, "\"jobs\":["), "answer");
    for (size_t i = 0; i < claim->count; i++) {
        size_t len;
        const char *job = claim_job(claim, i, &len);

        if (i > 0)
            must(buf_add_text(&driver->out, ","), "answer");
        must(json_add_string(&driver->out, job, len), "answer");
    }
    must(buf_add_text(&driver->out, "],"), "answer");
    return ERR_OK;
}

static enum err_code step_begin(struct driver *driver, struct err *err)
{
    enum err_code code;

    queue_drop_claim(&driver->claim);
    code = queue_claim_begin(driver->queue, &driver->claim, err);
    return code ? code : answer_claim(driver);
}

static enum err_code step_wait(struct driver *driver, struct err *err)
{
    bool came = false;
    enum err_code code = queue_claim_wait(driver->queue, &came, err);

    if (!code)
        must(buf_printf(&driver->out, "\"came\":%s,", came ? "true" : "false"), "answer");
    return code;
}

static enum err_code step_fill(struct driver *driver, struct err *err)
{
    enum err_code code;

    queue_drop_claim(&driver->claim);
    code = queue_claim_fill(driver->queue, &driver->claim, err);
    return code ? code : answer_claim(driver);
}

static enum err_code step_read(struct driver *driver, struct err *err)
{
    enum err_code code = queue_claim_read(driver->queue, &driver->claim, err);

    return code ? code : answer_jobs(driver);
}

static enum err_code step_seal(struct driver *driver, struct err *err)
{
    enum err_code code = queue_claim_seal(driver->queue, &driver->claim, err);

    return code ? code : answer_claim(driver);
}

static enum err_code step_store(struct driver *driver, struct err *err)
{
    const struct claim *claim = &driver->claim;
    enum err_code code = ERR_OK;

    batch_begin(&driver->batch, claim->id);
    for (size_t place = 0; place < claim->count && !code; place++) {
        size_t len;
        const char *job = claim_job(claim, place, &len);

        code = batch_add(&driver->batch, driver->parser, place, job, len, err);
    }
    if (!code)
        code = store_batch(&driver->store, &driver->batch, claim->attempts > 1, err);
    if (code)
        return code;
    driver->stored = batch_alive(&driver->batch);
    must(buf_printf(&driver->out, "\"stored\":%zu,", driver->stored), "answer");
    return ERR_OK;
}

static enum err_code step_ack(struct driver *driver, struct err *err)
{
    int64_t total = 0;
    enum err_code code = queue_ack(driver->queue, driver->claim.id, driver->claim.count,
                                   driver->stored, &total, err);

    if (!code)
        must(buf_printf(&driver->out, "\"total\":%lld,", (long long)total), "answer");
    return code;
}

static enum err_code step_hand_back(struct driver *driver, struct err *err)
{
    return queue_hand_back(driver->queue, driver->claim.id, queue_owner(driver->queue),
                           err);
}

static enum err_code step_renew(struct driver *driver, struct err *err)
{
    bool is_owned = false;
    enum err_code code = queue_renew(driver->queue, driver->claim.id,
                                     queue_owner(driver->queue), &is_owned, err);

    if (!code)
        must(buf_printf(&driver->out, "\"owned\":%s,", is_owned ? "true" : "false"),
             "answer");
    return code;
}

static enum err_code step_forget(struct driver *driver, struct err *err)
{
    (void)err; /* it never fails: the lease then ends by itself */
    queue_leave(driver->queue);
    return ERR_OK;
}

static enum err_code step_adopt(struct driver *driver, struct err *err)
{
    char cursor[QUEUE_CURSOR_MAX] = "";
    size_t found = 0;
    enum err_code code =
        queue_adopt_orphans(driver->queue, cursor, INT32_MAX, &found, err);

    if (!code)
        must(buf_printf(&driver->out, "\"found\":%zu,", found), "answer");
    return code;
}

static enum err_code step_ping(struct driver *driver, struct err *err)
{
    return queue_ping(driver->queue, err);
}

static enum err_code plan_trouble(struct driver *driver, enum trouble trouble,
                                  struct err *err)
{
    enum err_code code = queue_connect(driver->queue, err);

    if (!code)
        driver->trouble = trouble;
    return code;
}

static enum err_code step_lose(struct driver *driver, struct err *err)
{
    return plan_trouble(driver, TROUBLE_LOSE, err);
}

static enum err_code step_cut(struct driver *driver, struct err *err)
{
    return plan_trouble(driver, TROUBLE_CUT, err);
}

static enum err_code step_drop(struct driver *driver, struct err *err)
{
    (void)err; /* it never fails */
    queue_drop_claim(&driver->claim);
    return ERR_OK;
}

static const struct {
    const char *word;
    enum err_code (*run)(struct driver *driver, struct err *err);
} steps[] = {
    {"begin", step_begin},   {"wait", step_wait},
    {"fill", step_fill},     {"read", step_read},
    {"seal", step_seal},     {"store", step_store},
    {"ack", step_ack},       {"hand-back", step_hand_back},
    {"renew", step_renew},   {"adopt", step_adopt},
    {"forget", step_forget}, {"ping", step_ping},
    {"lose", step_lose},     {"cut", step_cut},
    {"drop", step_drop},
};

static void answer(struct driver *driver, enum err_code code, const struct err *err)
{
    const char *sentence = code ? err->msg : "";

    must(buf_printf(&driver->out, "\"next\":\"%s\",\"owner\":\"%s\",\"error\":\"%s\",",
                    driver->queue->next_id, queue_owner(driver->queue),
                    code ? err_name(code) : ""),
         "answer");
    must(buf_add_text(&driver->out, "\"reason\":"), "answer");
    must(json_add_string(&driver->out, sentence, strlen(sentence)), "answer");
    must(buf_add_text(&driver->out, "}\n"), "answer");
    if (fwrite(driver->out.data, 1, driver->out.len, stdout) != driver->out.len ||
        fflush(stdout))
        abort();
}

static void obey(struct driver *driver, const char *word)
{
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct err err = {.code = ERR_OK};
        enum err_code code;

        if (strcmp(steps[i].word, word) != 0)
            continue;
        buf_clear(&driver->out);
        must(buf_add_text(&driver->out, "{"), "answer");
        make_trouble(driver);
        code = steps[i].run(driver, &err);
        answer(driver, code, &err);
        return;
    }
    must(ERR_INVALID, word);
}

static void run(const struct processor_conf *conf)
{
    struct driver driver = {.claim = {.suspect = -1}};
    struct redis_url url;
    struct err err;
    char word[WORD_MAX];

    must(redis_url_parse(conf->redis.url, &url, &err), "REDIS_URL");
    driver.queue = queue_of_conf(conf, &url);
    driver.parser = event_parser_new();
    must(driver.queue && driver.parser ? ERR_OK : ERR_NOMEM, "start");
    batch_init(&driver.batch);
    store_init(&driver.store, conf);
    buf_init(&driver.out, ANSWER_MAX);
    while (fgets(word, sizeof(word), stdin)) {
        word[strcspn(word, "\n")] = '\0';
        obey(&driver, word);
    }
    queue_drop_claim(&driver.claim);
    queue_free(driver.queue);
    event_parser_free(driver.parser);
    batch_release(&driver.batch);
    store_release(&driver.store);
    buf_release(&driver.out);
}

int main(int argc, char **argv)
{
    struct processor_conf conf = {0};
    enum conf_next next;
    struct err err;

    (void)signal(SIGPIPE, SIG_IGN); /* as the processor does */
    if (conf_load(&processor_program, argc, argv, &conf, &next, &err)) {
        (void)fprintf(stderr, "queue_driver: %s\n", err.msg);
        return CONF_EXIT_USAGE;
    }
    run(&conf);
    conf_release(&processor_program, &conf);
    return EXIT_SUCCESS;
}
