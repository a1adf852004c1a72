/* conf.h -- the settings of a daemon, from one table.
 *
 * Each daemon has one table of struct conf_item.  From it come the defaults, the values
 * from the environment, from a .env file in the folder the daemon is started from (the
 * environment wins) and from --flags (which win over both), the range checks, --help,
 * --version and --print-config with secrets masked.  An empty value counts as not set.
 *
 * Parsed once; afterwards the struct is read as const by every thread.
 */
#ifndef SHARED_DAEMON_CONF_H
#define SHARED_DAEMON_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"

enum conf_type {
    CONF_INT,    /* int64_t field; min..max */
    CONF_BOOL,   /* bool field; true, false, 1, 0 */
    CONF_TEXT,   /* char * field, owned; at most max bytes */
    CONF_URL,    /* char * field, owned; a password in it is masked when shown, and not
                  * taken from a flag.  An item NAME_FILE beside it names a file with it */
    CONF_SECRET, /* char * field, owned; shown only as ***; never a flag */
    CONF_CHOICE, /* char * field, owned; one of choices, separated by | */
    CONF_SWITCH, /* bool field; a flag only (--migrate), never from the environment */
};

struct conf_item {
    const char *name; /* NAME in the environment, --name as a flag; NULL ends a table.
                       * In lower case: a flag alone, never from the environment */
    enum conf_type type;
    size_t offset;       /* of the field in the daemon's struct */
    const char *initial; /* the default, as text; NULL for a switch */
    int64_t min;
    int64_t max;
    const char *choices; /* of a CONF_CHOICE */
    const char *help;    /* one line, a noun phrase: what, and its unit */
};

/* One row of a table: what every row says, then the rest by name.  `field` is FIELD(member),
 * the offset in the daemon's struct.  Versions of clang-format do not agree about it. */
/* clang-format off */
#define CONF_ROW(row_name, row_type, field, ...)                                         \
    {                                                                                    \
        .name = (row_name), .type = (row_type), .offset = (field), __VA_ARGS__           \
    }
/* clang-format on */

/* The row of LOG_LEVEL, which every daemon has in its member log_level. */
#define CONF_LOG_LEVEL(owner)                                                            \
    CONF_ROW("LOG_LEVEL", CONF_CHOICE, offsetof(owner, log_level), .initial = "info",    \
             .choices = "debug|info|warn|error", .help = "Lowest level that is logged")

struct conf_program {
    const char *name;    /* "ingestion" */
    const char *summary; /* one sentence for --help */
    const struct conf_item *items;
    /* Of a command such as "processor --dead": its daemon, whose settings are taken too.
     * The daemon's struct is the first member of the command's.  NULL: a daemon. */
    const struct conf_program *base;
    const char *commands; /* lines of --help on the commands of a daemon; NULL: none */
};

/* Where the settings of this process come from, to read them again. */
struct conf_source {
    const struct conf_program *program;
    int argc;
    char **argv; /* borrowed from main() */
};

enum conf_next {
    CONF_NEXT_RUN,  /* go on and start */
    CONF_NEXT_EXIT, /* --help, --version or --print-config was printed: exit 0 */
};

/* Fills *conf (the daemon's struct, zeroed by the caller) from defaults, the file ".env"
 * if there is one, environ and argv.  ERR_CONFIG with a sentence that has the name, the
 * value (not a secret's) and the range; exit with CONF_EXIT_USAGE then.  conf_release()
 * frees what was filled in, also after a failure. */
enum err_code conf_load(const struct conf_program *program, int argc, char **argv,
                        void *conf, enum conf_next *ret_next, struct err *err) MUST_CHECK;
void conf_release(const struct conf_program *program, void *conf);

/* Reads the settings of a running daemon again, into a zeroed struct of its own: the file
 * and the flags as conf_load() did, the environment as it was at the start.  A URL that was
 * given as a flag is masked in argv, and so cannot be read again.  Errors and conf_release() as
 * with conf_load(). */
enum err_code conf_reload(const struct conf_source *source, void *conf,
                          struct err *err) MUST_CHECK;

enum {
    CONF_EXIT_USAGE = 2
};

#define CONF_ENV_FILE ".env"

/* The text of that file in the current folder; NULL in *ret_text when there is none.  The
 * caller owns it: mem_free().  What other users may write is refused, for it has URLs and
 * keys: ERR_CONFIG.  For conf_load(). */
enum err_code conf_read_env_file(char **ret_text, size_t *ret_len,
                                 struct err *err) MUST_CHECK;

/* Parses the text of a .env file (KEY=value lines, # comments, optional quotes and
 * "export "), calling fn for each pair.  ERR_CONFIG names the line.  For conf_load() and
 * its tests. */
typedef enum err_code (*conf_pair_fn)(void *user, const char *key, const char *value,
                                      struct err *err);
enum err_code conf_parse_env(const char *text, size_t len, conf_pair_fn fn, void *user,
                             struct err *err) MUST_CHECK;

/* Writes url with its password replaced by *** into out (cut at size).  Both forms that
 * libpq takes, URLs and "password=..." words, are understood. */
void conf_mask_url(const char *url, char *out, size_t size);

/* Whether conf_mask_url() would mask anything: such a url is not taken from a flag. */
bool conf_url_has_password(const char *url);

/* Calls fn for each secret and URL that comes from a file which every user of the machine
 * may read, with the name of the setting (NAME_FILE) and the path: for a warning. */
typedef void (*conf_public_fn)(const char *name, const char *path);
void conf_warn_public(const struct conf_program *program, const void *conf,
                      conf_public_fn fn);

#endif
