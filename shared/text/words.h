/* words.h -- a list of words from one setting, separated by commas; white space around a
 * word does not count. */
#ifndef SHARED_TEXT_WORDS_H
#define SHARED_TEXT_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/err.h"

struct words {
    size_t count;
    const char **items; /* owned; sorted by bytes */
    char *text;         /* owned; what the items point into */
};

/* Takes text apart; "" gives no words.  ERR_NOMEM. */
enum err_code words_parse(const char *text, struct words *ret_words,
                          struct err *err) MUST_CHECK;

/* Frees what is inside; fine for a zeroed struct. */
void words_release(struct words *words);

/* Whether the bytes are one of the words. */
bool words_has(const struct words *words, const char *bytes, size_t len);

#endif
