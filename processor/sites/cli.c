/* cli.c -- see cli.h. */
#include "processor/sites/cli.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "processor/dead/show.h"
#include "processor/session.h"
#include "processor/sites/conf.h"
#include "processor/sites/rebuild.h"
#include "processor/sites/steps.h"
#include "shared/base/buf.h"
#include "shared/base/mem.h"
#include "shared/pg/conn.h"

struct cli {
    const struct sites_conf *conf; /* borrowed */
    PGconn *conn;                  /* owned */
    struct steps steps;
};

static enum err_code ask(struct cli *cli, const char *sql, int count,
                         const char *const *values, PGresult **ret_result,
                         struct err *err)
{
    return pg_conn_exec(cli->conn, sql, count, values, cli->steps.timeout_ms, ret_result,
                        err);
}

static enum err_code cli_open(struct cli *cli, struct err *err)
{
    const struct processor_conf *daemon = &cli->conf->daemon;
    struct session_options options = {
        .conf = daemon,
        .application_name = "analytics-sites",
        .statement_timeout_ms = daemon->rollup_timeout_ms,
    };
    enum err_code code = session_open(&options, &cli->conn, err);

    if (!code)
        steps_init(&cli->steps, cli->conn,
                   session_patience_ms(daemon->rollup_timeout_ms));
    return code;
}

/* --- list -------------------------------------------------------------------------- */

enum {
    LIST_COLUMNS = 5,
    LIST_BYTES_MAX =
        4096, /* of a line: a site has 255 characters, each escaped at most */
    LIST_CELL_MAX = 1020
};

/* A site's name is a stranger's: nothing of it moves the cursor. */
static enum err_code add_cell(struct buf *line, const char *text, size_t width)
{
    size_t taken = 0;
    enum err_code code =
        dead_show_escaped(line, text, strlen(text), LIST_CELL_MAX, &taken);

    for (; taken < width && !code; taken++)
        code = buf_add(line, " ", 1);
    return code;
}

/* Prints the cells of a row, or only widens the columns for them. */
static enum err_code put_row(const char *const cells[LIST_COLUMNS],
                             size_t widths[LIST_COLUMNS], bool prints)
{
    enum err_code code = ERR_OK;
    struct buf line;

    buf_init(&line, LIST_BYTES_MAX);
    for (int c = 0; c < LIST_COLUMNS && !code; c++) {
        size_t before = line.len;
        code = add_cell(&line, cells[c], prints && c + 1 < LIST_COLUMNS ? widths[c] : 0);
        if (!prints && line.len - before > widths[c])
            widths[c] = line.len - before;
        if (!code)
            code = buf_add_text(&line, c + 1 < LIST_COLUMNS ? "  " : "\n");
    }
    if (prints && !code)
        (void)fwrite(line.data, 1, line.len, stdout);
    buf_release(&line);
    return code;
}

static enum err_code put_rows(const PGresult *result, size_t widths[LIST_COLUMNS],
                              bool prints)
{
    const char *cells[LIST_COLUMNS] = {"site", "time zone", "events", "first day",
                                       "last day"};
    enum err_code code = put_row(cells, widths, prints);

    for (int row = 0; row < PQntuples(result) && !code; row++) {
        for (int c = 0; c < LIST_COLUMNS; c++)
            cells[c] = PQgetvalue(result, row, c);
        code = put_row(cells, widths, prints);
    }
    return code;
}

static enum err_code list(struct cli *cli, struct err *err)
{
    size_t widths[LIST_COLUMNS] = {0};
    PGresult *result = NULL;
    enum err_code code = ask(cli, "SELECT * FROM sites_list()", 0, NULL, &result, err);

    if (code)
        return code;
    code = put_rows(result, widths, false);
    if (!code)
        code = put_rows(result, widths, true);
    PQclear(result);
    return code ? err_set(err, code, "out of memory") : ERR_OK;
}

/* --- set and rebuild ---------------------------------------------------------------- */

static enum err_code count_anew(struct cli *cli, const char *zone, struct err *err)
{
    enum err_code code = rebuild_site(&cli->steps, cli->conf->site, zone, err);

    return code ? code : rebuild_sweep(&cli->steps, err);
}

static enum err_code rebuild(struct cli *cli, struct err *err)
{
    return count_anew(cli, "", err);
}

static enum err_code set(struct cli *cli, struct err *err)
{
    const char *values[] = {cli->conf->site, cli->conf->time_zone};
    PGresult *result = NULL;
    char zone[128];
    char outcome[16];
    enum err_code code =
        ask(cli, "SELECT outcome, zone FROM site_make($1, $2)", 2, values, &result, err);

    if (code)
        return code;
    (void)snprintf(outcome, sizeof(outcome), "%s", PQgetvalue(result, 0, 0));
    (void)snprintf(zone, sizeof(zone), "%s", PQgetvalue(result, 0, 1));
    PQclear(result);
    if (strcmp(outcome, "unknown") == 0)
        return err_set(err, ERR_CONFIG,
                       "\"%.100s\" is no time zone that Postgres knows: take a name such "
                       "as Europe/Berlin",
                       cli->conf->time_zone);
    if (strcmp(outcome, "full") == 0)
        return err_set(
            err, ERR_TOO_BIG,
            "there is no site \"%.100s\" and there may be no more: SITES_MAX is "
            "reached",
            cli->conf->site);
    if (strcmp(outcome, "differs") == 0)
        code = count_anew(cli, zone, err);
    else
        code = rebuild_sweep(&cli->steps, err); /* of one that was killed */
    if (!code)
        (void)printf("%s: days are those of %s%s\n", cli->conf->site, zone,
                     strcmp(outcome, "same") == 0 ? ", as before" : "");
    return code;
}

/* --- forget and delete --------------------------------------------------------------- */

/* Runs a statement that answers (where the next step begins, rows deleted), from the
 * beginning of time on until it has no next step. */
static enum err_code walk(struct cli *cli, const char *sql, const char *user,
                          const char *what, int64_t *ret_deleted, struct err *err)
{
    char from[64] = "-infinity";
    bool has_more = true;

    *ret_deleted = 0;
    while (has_more) {
        const char *values[] = {cli->conf->site, user, from, NULL};
        PGresult *result = NULL;
        enum err_code code = steps_run(&cli->steps, sql, 4, values, &result, err);

        if (code)
            return code;
        has_more = !PQgetisnull(result, 0, 0);
        (void)snprintf(from, sizeof(from), "%s", PQgetvalue(result, 0, 0));
        *ret_deleted += pg_int_at(result, 0, 1);
        PQclear(result);
        steps_tell(&cli->steps, what, *ret_deleted, 0);
    }
    steps_end_line(&cli->steps);
    return ERR_OK;
}

static enum err_code walk_letters(struct cli *cli, const char *user, struct err *err)
{
    int64_t deleted;
    enum err_code code =
        walk(cli, "SELECT upto, deleted FROM site_letters_step($1, $2, $3, $4)", user,
             "deleted dead letters:", &deleted, err);

    if (!code)
        (void)printf("deleted %" PRId64 " dead letters\n", deleted);
    return code;
}

static enum err_code check_known(struct cli *cli, struct err *err)
{
    const char *values[] = {cli->conf->site};
    PGresult *result = NULL;
    enum err_code code = ask(cli, "SELECT site_is_known($1)", 1, values, &result, err);

    if (code)
        return code;
    if (PQgetvalue(result, 0, 0)[0] != 't')
        code =
            err_set(err, ERR_NOT_FOUND, "there is no site \"%.100s\"", cli->conf->site);
    PQclear(result);
    return code;
}

static enum err_code forget(struct cli *cli, struct err *err)
{
    int64_t deleted = 0;
    enum err_code code = check_known(cli, err);

    if (!code)
        code = walk(cli, "SELECT upto, deleted FROM site_forget_step($1, $2, $3, $4)",
                    cli->conf->user, "deleted events:", &deleted, err);
    if (code)
        return code;
    (void)printf("deleted %" PRId64 " events\n", deleted);
    code = walk_letters(cli, cli->conf->user, err);
    if (!code)
        code = count_anew(cli, "", err);
    if (code == ERR_NOT_FOUND)
        code = ERR_OK; /* of a site that is not counted there is nothing to count anew */
    if (!code)
        (void)printf(
            "the user is in no count any more, but for days whose raw events were "
            "removed before: sketches of those cannot be undone\n");
    return code;
}

static enum err_code delete_events(struct cli *cli, const char *bound, struct err *err)
{
    int64_t deleted = 0;
    int64_t last = 1;

    while (last > 0) {
        const char *values[] = {cli->conf->site, bound, NULL};
        PGresult *result = NULL;
        enum err_code code = steps_run(&cli->steps, "SELECT site_delete_step($1, $2, $3)",
                                       3, values, &result, err);

        if (code)
            return code;
        last = pg_int_at(result, 0, 0);
        PQclear(result);
        deleted += last;
        steps_tell(&cli->steps, "deleted events:", deleted, 0);
    }
    steps_end_line(&cli->steps);
    (void)printf("deleted %" PRId64 " events\n", deleted);
    return ERR_OK;
}

static enum err_code delete_site(struct cli *cli, struct err *err)
{
    const char *values[] = {cli->conf->site};
    PGresult *result = NULL;
    char bound[32];
    enum err_code code =
        ask(cli, "SELECT site_delete_begin($1)", 1, values, &result, err);

    if (code)
        return code;
    if (PQgetisnull(result, 0, 0))
        code =
            err_set(err, ERR_NOT_FOUND, "there is no site \"%.100s\"", cli->conf->site);
    (void)snprintf(bound, sizeof(bound), "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    if (!code)
        code = delete_events(cli, bound, err);
    if (!code)
        code = walk_letters(cli, NULL, err);
    return code ? code : rebuild_sweep(&cli->steps, err);
}

/* --- the whole ----------------------------------------------------------------------- */

static const struct command {
    const char *name;
    enum err_code (*run)(struct cli *cli, struct err *err);
    bool needs_site;
    bool needs_zone;
    bool needs_user;
} commands[] = {
    {"list", list, false, false, false},         {"set", set, true, true, false},
    {"rebuild", rebuild, true, false, false},    {"forget", forget, true, false, true},
    {"delete", delete_site, true, false, false},
};

static enum err_code check_words(const struct command *command,
                                 const struct sites_conf *conf, struct err *err)
{
    if (command->needs_site && conf->site[0] == '\0')
        return err_set(err, ERR_CONFIG, "which site? processor --sites %s <site_id>",
                       command->name);
    if (command->needs_zone && conf->time_zone[0] == '\0')
        return err_set(err, ERR_CONFIG, "which zone? --time-zone=Asia/Kathmandu");
    if (command->needs_user && conf->user[0] == '\0')
        return err_set(err, ERR_CONFIG, "which user? --user=<user>");
    return ERR_OK;
}

static enum err_code run_command(struct cli *cli, struct err *err)
{
    const struct command *command = commands;
    enum err_code code;

    while (strcmp(command->name, cli->conf->command) != 0)
        command++; /* one of them: the settings have checked it */
    code = check_words(command, cli->conf, err);
    if (!code)
        code = cli_open(cli, err);
    return code ? code : command->run(cli, err);
}

static int run(const struct sites_conf *conf)
{
    struct cli cli = {.conf = conf};
    struct err err;
    enum err_code code;

    (void)signal(SIGPIPE, SIG_IGN); /* an end of the output is an error like others */
    code = run_command(&cli, &err);
    steps_end_line(&cli.steps);
    if (!code && fflush(stdout))
        code = err_set(&err, ERR_UNAVAILABLE, "could not write to stdout");
    if (code)
        (void)fprintf(stderr, "processor: %s\n", err.msg);
    PQfinish(cli.conn); /* NULL is fine */
    if (code == ERR_CONFIG)
        return CONF_EXIT_USAGE;
    return code ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* The place of the word of the command ("list") in argv, or 0; --sites=list is one word. */
static int find_command(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--sites") == 0)
            return i + 1;
        if (strncmp(argv[i], "--sites=", 8) == 0)
            return i;
    }
    return 0;
}

bool sites_cli_is_meant(int argc, char **argv)
{
    return find_command(argc, argv) > 0;
}

/* The words with "--site" put in front of one that follows the command. */
static char **name_site(int *argc, char **argv)
{
    static char flag[] = "--site";
    char **words = mem_calloc((size_t)*argc + 2, sizeof(*words));
    int at = find_command(*argc, argv) + 1;
    int count = 0;

    if (!words)
        return NULL;
    for (int i = 0; i < *argc; i++) {
        if (i == at && argv[i][0] != '-')
            words[count++] = flag;
        words[count++] = argv[i];
    }
    *argc = count;
    return words;
}

int sites_cli_run(int argc, char **argv)
{
    struct sites_conf conf = {.command = NULL};
    enum conf_next next = CONF_NEXT_RUN;
    struct err err;
    int status = EXIT_SUCCESS;
    char **words = name_site(&argc, argv);
    enum err_code code = words
                             ? conf_load(&sites_program, argc, words, &conf, &next, &err)
                             : err_set(&err, ERR_NOMEM, "out of memory");

    if (code) {
        (void)fprintf(stderr, "processor: %s\n", err.msg);
        status = CONF_EXIT_USAGE;
    } else if (next == CONF_NEXT_RUN) {
        status = run(&conf);
    }
    conf_release(&sites_program, &conf);
    mem_free(words);
    return status;
}
