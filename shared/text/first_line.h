/* first_line.h -- the first line of a small file: how a secret is mounted into a container
 * or kept out of the environment. */
#ifndef SHARED_TEXT_FIRST_LINE_H
#define SHARED_TEXT_FIRST_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/err.h"

/* A copy of the first line of the file at path, without its line end; the caller owns it:
 * mem_free().  ERR_CONFIG when the file cannot be read, when any user of the machine may
 * write to it, or when the line is empty or longer than max bytes; the sentence has the path and
 * nothing of the content.  ERR_NOMEM. */
enum err_code first_line_read(const char *path, size_t max, char **ret_line,
                              struct err *err) MUST_CHECK;

/* Whether every user of the machine may read the file at path; false when there is none. */
bool first_line_is_public(const char *path);

#endif
