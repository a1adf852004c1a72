/* spam.h -- a list of hosts whose referrers are made up, to lure who reads the figures.
 *
 * A file with a host each line; white space around it does not count, # begins a comment, a
 * host stands for all below it.  Such lists are kept by others, in just that form.
 *
 * Read once; read-only from then on.
 */
#ifndef INGESTION_ENRICH_SPAM_H
#define INGESTION_ENRICH_SPAM_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/err.h"

enum {
    SPAM_FILE_MAX = 4 * 1024 * 1024 /* bytes */
};

struct spam; /* opaque */

/* ERR_CONFIG: the file cannot be read, or is larger than SPAM_FILE_MAX; ERR_NOMEM. */
enum err_code spam_new(const char *path, struct spam **ret_spam,
                       struct err *err) MUST_CHECK;
void spam_free(struct spam *spam); /* NULL is fine */

/* Whether the host, or one that it lies below, is on the list; in any case.  It need not end
 * in NUL. */
bool spam_has(const struct spam *spam, const char *host, size_t len);

#endif
