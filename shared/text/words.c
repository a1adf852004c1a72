/* words.c -- see words.h. */
#include "shared/text/words.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t count_commas(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += *text == ',';
    return count;
}

/* Cuts the word that starts at text off at its comma; *ret_next is what follows it, or
 * NULL. */
static char *cut_word(char *text, char **ret_next)
{
    size_t len = strcspn(text, ",");

    *ret_next = text[len] ? text + len + 1 : NULL;
    while (len > 0 && strchr(" \t", text[len - 1]))
        len--;
    text[len] = '\0';
    return text + strspn(text, " \t");
}

enum err_code words_parse(const char *text, struct words *ret_words, struct err *err)
{
    struct words words = {.text = mem_strdup(text)};
    char *next = words.text;

    words.items = mem_calloc(count_commas(text) + 1, sizeof(*words.items));
    if (!words.text || !words.items) {
        words_release(&words);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    while (next) {
        const char *word = cut_word(next, &next);
        if (word[0])
            words.items[words.count++] = word;
    }
    qsort(words.items, words.count, sizeof(*words.items), compare);
    *ret_words = words;
    return ERR_OK;
}

void words_release(struct words *words)
{
    mem_free(words->items);
    mem_free(words->text);
    *words = (struct words){.count = 0};
}

bool words_has(const struct words *words, const char *bytes, size_t len)
{
    size_t low = 0;
    size_t high = words->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *word = words->items[middle];
        size_t word_len = strlen(word);
        int order = memcmp(bytes, word, len < word_len ? len : word_len);
        if (order == 0 && len == word_len)
            return true;
        if (order < 0 || (order == 0 && len < word_len))
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}
