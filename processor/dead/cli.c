/* cli.c -- see cli.h. */
#include "processor/dead/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "processor/dead/conf.h"
#include "processor/dead/letters.h"
#include "processor/dead/replay.h"
#include "processor/dead/show.h"
#include "processor/session.h"
#include "shared/redis/url.h"
#include "shared/text/timestamp.h"

enum {
    OUT_MAX_BYTES = 32 << 20, /* a page of replayed letters, or one letter whole */
    PREVIEW_BYTES = 4 * DEAD_SHOW_PREVIEW + 4,
};

struct cli {
    const struct dead_conf *conf; /* borrowed */
    struct redis_url redis_url;
    struct dead_filter filter;
    char since[TIMESTAMP_TEXT_LEN + 1]; /* what filter points to */
    char until[TIMESTAMP_TEXT_LEN + 1];
    PGconn *conn; /* owned */
    struct dead_letters letters;
    struct buf out;
};

/* --- settings --------------------------------------------------------------------- */

static const char *or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

/* An empty text is no time; *ret_text then is NULL. */
static enum err_code read_time(const char *name, const char *text,
                               char out[TIMESTAMP_TEXT_LEN + 1], const char **ret_text,
                               struct err *err)
{
    int64_t ms;

    *ret_text = NULL;
    if (text[0] == '\0')
        return ERR_OK;
    if (timestamp_parse(text, strlen(text), &ms))
        return err_set(err, ERR_CONFIG,
                       "%s: \"%s\" is no date or time such as 2025-11-14T10:00:00Z", name,
                       text);
    timestamp_format(ms, out);
    out[TIMESTAMP_TEXT_LEN] = '\0';
    *ret_text = out;
    return ERR_OK;
}

static enum err_code read_filter(struct cli *cli, struct err *err)
{
    const struct dead_conf *conf = cli->conf;
    struct uuid ignored;
    enum err_code code;

    cli->filter.site_id = or_null(conf->site);
    cli->filter.reason = or_null(conf->reason);
    cli->filter.event_id = or_null(conf->event_id);
    if (cli->filter.event_id &&
        uuid_parse(conf->event_id, strlen(conf->event_id), &ignored))
        return err_set(err, ERR_CONFIG, "event-id: \"%s\" is no UUID", conf->event_id);
    code = read_time("since", conf->since, cli->since, &cli->filter.since, err);
    if (!code)
        code = read_time("until", conf->until, cli->until, &cli->filter.until, err);
    if (!code)
        code = redis_url_parse(conf->daemon.redis.url, &cli->redis_url, err);
    return code;
}

static enum err_code cli_open(struct cli *cli, int64_t preview, struct err *err)
{
    const struct processor_conf *daemon = &cli->conf->daemon;
    struct session_options options = {
        .conf = daemon,
        .application_name = "analytics-dead-letters",
        .statement_timeout_ms = daemon->statement_timeout_ms,
    };
    enum err_code code = session_open(&options, &cli->conn, err);

    if (code)
        return code;
    dead_letters_init(&cli->letters, cli->conn,
                      session_patience_ms(daemon->statement_timeout_ms), &cli->filter,
                      cli->conf->limit, preview);
    return ERR_OK;
}

/* --- output ----------------------------------------------------------------------- */

static enum err_code flush(struct cli *cli, struct err *err)
{
    size_t len = cli->out.len;

    buf_clear(&cli->out);
    if (len == 0)
        return ERR_OK;
    if (fwrite(cli->out.data, 1, len, stdout) != len || fflush(stdout))
        return err_set(err, ERR_UNAVAILABLE, "could not write to stdout: %s",
                       strerror(errno));
    return ERR_OK;
}

/* Says that the limit left letters out. */
static void tell_of_more(const struct cli *cli)
{
    if (cli->letters.left == 0 && cli->letters.has_more)
        (void)fprintf(stderr,
                      "processor: there are more; --limit=%" PRId64 " is reached\n",
                      cli->conf->limit);
}

/* --- list and show ----------------------------------------------------------------- */

typedef enum err_code (*show_fn)(struct buf *out, const struct letter *letter);

static enum err_code print_all(struct cli *cli, int64_t preview, show_fn show,
                               struct err *err)
{
    size_t count = 0;
    enum err_code code = cli_open(cli, preview, err);

    if (code)
        return code;
    do {
        code = dead_letters_read(&cli->letters, &count, err);
        for (size_t i = 0; i < count && !code; i++) {
            struct letter letter;

            code = dead_letters_get(&cli->letters, i, &letter, err);
            if (code)
                return code;
            code = show(&cli->out, &letter);
            if (code)
                return err_set(err, code, "a letter is too long to be shown");
            code = flush(cli, err);
        }
    } while (!code && count > 0);
    if (!code)
        tell_of_more(cli);
    return code;
}

static enum err_code list(struct cli *cli, struct err *err)
{
    if (cli->conf->json)
        return print_all(cli, DEAD_PAYLOAD_MAX, dead_show_json, err);
    if (dead_show_head(&cli->out))
        return err_set(err, ERR_NOMEM, "out of memory");
    return print_all(cli, PREVIEW_BYTES, dead_show_row, err);
}

static enum err_code show(struct cli *cli, struct err *err)
{
    return print_all(cli, DEAD_PAYLOAD_MAX,
                     cli->conf->json ? dead_show_json : dead_show_whole, err);
}

/* --- replay ------------------------------------------------------------------------ */

static enum err_code replay_pages(struct cli *cli, struct dead_replay *replay,
                                  struct err *err)
{
    size_t count = 0;
    enum err_code code;

    do {
        code = dead_replay_page(replay, &count, err);
        if (!code)
            code = flush(cli, err);
    } while (!code && count > 0);
    if (cli->conf->json)
        return code;
    (void)printf("replayed %" PRId64 ", skipped %" PRId64 "\n", replay->replayed,
                 replay->skipped);
    if (replay->kept > 0)
        (void)printf("%" PRId64 " of their letters changed meanwhile: failed again, or "
                     "replayed by somebody else\n",
                     replay->kept);
    return code;
}

static enum err_code replay(struct cli *cli, struct err *err)
{
    const struct processor_conf *daemon = &cli->conf->daemon;
    struct queue *queue = queue_of_conf(daemon, &cli->redis_url);
    struct dead_replay replay;
    enum err_code code = cli_open(cli, DEAD_PAYLOAD_MAX, err);

    if (!code && !queue)
        code = err_set(err, ERR_NOMEM, "out of memory");
    if (!code) {
        code = dead_replay_init(&replay, &cli->letters, queue, &cli->out, cli->conf->json,
                                err);
        if (!code)
            code = replay_pages(cli, &replay, err);
        dead_replay_release(&replay);
    }
    queue_free(queue);
    if (!code)
        tell_of_more(cli);
    return code;
}

/* --- purge -------------------------------------------------------------------------- */

static enum err_code count_all(struct cli *cli, int64_t *ret_count, struct err *err)
{
    size_t count = 0;
    enum err_code code;

    *ret_count = 0;
    do {
        code = dead_letters_read(&cli->letters, &count, err);
        *ret_count += (int64_t)count;
    } while (!code && count > 0);
    return code;
}

static enum err_code delete_all(struct cli *cli, int64_t *ret_count, struct err *err)
{
    int64_t count = 0;
    enum err_code code;

    *ret_count = 0;
    do {
        code = dead_letters_purge(&cli->letters, &count, err);
        *ret_count += count;
    } while (!code && count > 0);
    return code;
}

static enum err_code purge(struct cli *cli, struct err *err)
{
    int64_t count = 0;
    enum err_code code = cli_open(cli, 0, err);

    if (code)
        return code;
    if (!cli->conf->yes) {
        code = count_all(cli, &count, err);
        if (code)
            return code;
        tell_of_more(cli);
        return err_set(err, ERR_CONFIG,
                       "this would delete %" PRId64 " dead letters: say so with --yes",
                       count);
    }
    code = delete_all(cli, &count, err);
    (void)printf(cli->conf->json ? "{\"purged\":%" PRId64 "}\n" : "purged %" PRId64 "\n",
                 count);
    return code;
}

/* --- the whole ----------------------------------------------------------------------- */

static enum err_code run_command(struct cli *cli, struct err *err)
{
    static const struct {
        const char *name;
        enum err_code (*run)(struct cli *cli, struct err *err);
    } commands[] = {{"list", list}, {"show", show}, {"replay", replay}, {"purge", purge}};
    enum err_code code = read_filter(cli, err);

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]) && !code; i++) {
        if (strcmp(cli->conf->command, commands[i].name) == 0)
            code = commands[i].run(cli, err);
    }
    return code;
}

static int run(const struct dead_conf *conf)
{
    struct cli cli = {.conf = conf};
    struct err err;
    enum err_code code;

    (void)signal(SIGPIPE, SIG_IGN); /* an end of the output is an error like others */
    buf_init(&cli.out, OUT_MAX_BYTES);
    code = run_command(&cli, &err);
    if (!code)
        code = flush(&cli, &err);
    if (code)
        (void)fprintf(stderr, "processor: %s\n", err.msg);
    dead_letters_release(&cli.letters);
    buf_release(&cli.out);
    PQfinish(cli.conn); /* NULL is fine */
    if (code == ERR_CONFIG)
        return CONF_EXIT_USAGE;
    return code ? EXIT_FAILURE : EXIT_SUCCESS;
}

bool dead_cli_is_meant(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--dead") == 0 || strncmp(argv[i], "--dead=", 7) == 0)
            return true;
    }
    return false;
}

int dead_cli_run(int argc, char **argv)
{
    struct dead_conf conf = {.command = NULL};
    enum conf_next next;
    struct err err;
    int status = EXIT_SUCCESS;
    enum err_code code = conf_load(&dead_program, argc, argv, &conf, &next, &err);

    if (code) {
        (void)fprintf(stderr, "processor: %s\n", err.msg);
        status = CONF_EXIT_USAGE;
    } else if (next == CONF_NEXT_RUN) {
        status = run(&conf);
    }
    conf_release(&dead_program, &conf);
    return status;
}
