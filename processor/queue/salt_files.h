/* salt_files.h -- has the salts of past days removed from Redis's files.
 *
 * A salt that has expired is gone from Redis's memory, but its append-only file still has
 * the command that set it, until the file is rewritten.  So which salts there have been is
 * noted in Redis ({events}:salts, which outlives this process), and once one of them is gone
 * Redis is asked for BGREWRITEAOF; when that has ended well the note is taken back.  Only
 * the names are seen here: the account may not read a salt.
 *
 *   WATCHING --a noted salt is gone--> ASKED --rewritten--> WATCHING (the note is gone)
 *       ^                                |
 *       '------- the rewrite failed -----'
 *
 * A Redis without an append-only file has nothing to rewrite.  One that refuses is warned of
 * in the log, once, and not asked again by this process.  Several processors may do this
 * side by side.  Belongs to one thread.
 */
#ifndef PROCESSOR_QUEUE_SALT_FILES_H
#define PROCESSOR_QUEUE_SALT_FILES_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"

enum {
    SALT_NAMES_MAX = 16, /* handled in one poll; there are two or three */
    SALT_NAME_SIZE = 40,
};

struct salt_files {
    int64_t interval_ms;
    int64_t poll_at_ms;
    bool is_refused;
    size_t asked; /* names that the rewrite under way is for; 0: none is */
    char names[SALT_NAMES_MAX][SALT_NAME_SIZE];
};

/* Looks, if it is time; *ret_has_asked says whether Redis was asked to rewrite.
 * ERR_UNAVAILABLE when the connection is lost; what Redis refuses is no error. */
enum err_code salt_files_poll(struct salt_files *files, redisContext *context,
                              bool *ret_has_asked) MUST_CHECK;

#endif
