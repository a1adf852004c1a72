/* replay.c -- see replay.h. */
#include "processor/dead/replay.h"

#include <string.h>

#include "processor/dead/show.h"
#include "shared/event/event.h"
#include "shared/text/json.h"
#include "shared/text/uuid.h"

enum {
    /* A job in canonical form may be longer than it was: six bytes for one. */
    JOBS_MAX_BYTES = 6 * DEAD_PAGE_BYTES + DEAD_PAGE_ROWS * 256,
    IDENTITIES_MAX_BYTES = 8 << 20,
};

enum err_code dead_replay_init(struct dead_replay *replay, struct dead_letters *letters,
                               struct queue *queue, struct buf *out, bool json,
                               struct err *err)
{
    *replay = (struct dead_replay){
        .letters = letters, .queue = queue, .out = out, .json = json};
    buf_init(&replay->jobs, JOBS_MAX_BYTES);
    buf_init(&replay->identities, IDENTITIES_MAX_BYTES);
    replay->parser = event_parser_new();
    return replay->parser ? ERR_OK : err_set(err, ERR_NOMEM, "out of memory");
}

void dead_replay_release(struct dead_replay *replay)
{
    event_parser_free(replay->parser);
    buf_release(&replay->jobs);
    buf_release(&replay->identities);
}

enum err_code dead_replay_job(struct event_parser *parser, const struct letter *letter,
                              struct buf *out, struct err *err)
{
    struct event event;
    enum err_code code;

    if (letter->payload_bytes > (int64_t)letter->payload_len)
        return err_set(err, ERR_INVALID, "only the first %zu bytes of it were kept",
                       letter->payload_len);
    code = event_parse_job(parser, letter->payload, letter->payload_len, &event, err);
    if (code == ERR_TOO_BIG)
        return err_set(err, ERR_INVALID, "it has more than %d bytes", EVENT_JOB_MAX);
    if (code)
        return code;
    code = uuid_parse(letter->event_id, strlen(letter->event_id), &event.event_id);
    if (code)
        return err_set(err, ERR_BUG, "the letter has an event_id that is no UUID");
    event.has_event_id = true;
    code = event_format_job(&event, out);
    return code ? err_set(err, code, "could not make the job") : ERR_OK;
}

/* A line on a letter; why is NULL for one that was replayed. */
static enum err_code report(struct dead_replay *replay, const struct letter *letter,
                            const char *why)
{
    struct buf *out = replay->out;
    enum err_code code;

    if (replay->json) {
        code = buf_printf(out, "{\"event_id\":\"%s\",\"result\":\"%s\"", letter->event_id,
                          why ? "skipped" : "replayed");
        if (!code && why)
            code = buf_add_text(out, ",\"reason\":");
        if (!code && why)
            code = json_add_string(out, why, strlen(why));
        return code ? code : buf_add_text(out, "}\n");
    }
    if (!why)
        return ERR_OK;
    code = buf_printf(out, "skipped %s: ", letter->event_id);
    if (!code)
        code = dead_show_escaped(out, why, strlen(why), SIZE_MAX, NULL);
    return code ? code : buf_add_text(out, "\n");
}

static enum err_code add_identity(struct dead_replay *replay, const struct letter *letter)
{
    enum err_code code = buf_add_text(&replay->identities, replay->count ? "," : "[");

    return code ? code : buf_add_text(&replay->identities, letter->identity);
}

/* Makes the jobs of the page. */
static enum err_code collect(struct dead_replay *replay, size_t count, int64_t *skipped,
                             struct err *err)
{
    enum err_code code = ERR_OK;

    buf_clear(&replay->jobs);
    buf_clear(&replay->identities);
    replay->count = 0;
    for (size_t i = 0; i < count && !code; i++) {
        struct letter letter;

        code = dead_letters_get(replay->letters, i, &letter, err);
        if (code)
            return code;
        replay->starts[replay->count] = replay->jobs.len;
        code = dead_replay_job(replay->parser, &letter, &replay->jobs, err);
        if (code == ERR_INVALID) {
            (*skipped)++;
            code = report(replay, &letter, err->msg);
        } else if (!code) {
            code = add_identity(replay, &letter);
            replay->count++;
            if (!code)
                code = report(replay, &letter, NULL);
        }
        if (code)
            (void)err_set(err, code, "could not keep a page of dead letters in memory");
    }
    replay->starts[replay->count] = replay->jobs.len;
    return code;
}

static enum err_code push(struct dead_replay *replay, struct err *err)
{
    struct queue_job jobs[DEAD_PAGE_ROWS];

    for (size_t i = 0; i < replay->count; i++)
        jobs[i] = (struct queue_job){
            .bytes = replay->jobs.data + replay->starts[i],
            .len = replay->starts[i + 1] - replay->starts[i],
        };
    return queue_push(replay->queue, jobs, replay->count, err);
}

static enum err_code forget(struct dead_replay *replay, struct err *err)
{
    int64_t deleted = 0;
    enum err_code code = buf_add(&replay->identities, "]", 2); /* with its NUL */

    if (code)
        return err_set(err, code, "out of memory");
    code = dead_letters_forget(replay->letters, replay->identities.data, &deleted, err);
    if (code)
        return err_wrap(err, "the jobs are in the queue, but the letters could not be "
                             "deleted: replay them again, it does no harm");
    replay->kept += (int64_t)replay->count - deleted;
    return ERR_OK;
}

enum err_code dead_replay_page(struct dead_replay *replay, size_t *ret_count,
                               struct err *err)
{
    size_t reported = replay->out->len;
    int64_t skipped = 0;
    enum err_code code = dead_letters_read(replay->letters, ret_count, err);

    if (code || *ret_count == 0)
        return code;
    code = collect(replay, *ret_count, &skipped, err);
    if (!code && replay->count > 0) {
        code = push(replay, err);
        if (!code)
            code = forget(replay, err);
    }
    if (code) { /* the page is read again: what was said of it would be said twice */
        replay->out->len = reported;
        return code;
    }
    replay->replayed += (int64_t)replay->count;
    replay->skipped += skipped;
    return ERR_OK;
}
