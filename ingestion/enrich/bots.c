/* bots.c -- see bots.h. */
#include "ingestion/enrich/bots.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "ingestion/enrich/spam.h"
#include "ingestion/enrich/tables/bot_words.h"
#include "ingestion/enrich/tables/patterns.h"
#include "shared/access/address.h"
#include "shared/base/mem.h"
#include "shared/text/words.h"

enum {
    LOOKED_AT_MAX = 1024, /* bytes of a User-Agent */
};

struct word {
    enum bot_reason reason;
    unsigned flags;
};

static const struct word words[] = {
#define WORD_ROW(reason, text, flags) {BOT_##reason, flags},
    BOT_WORDS(WORD_ROW)
#undef WORD_ROW
};

static const char *const word_texts[] = {
#define WORD_TEXT(reason, text, flags) text,
    BOT_WORDS(WORD_TEXT)
#undef WORD_TEXT
};

static const char *const innocents[] = {
#define INNOCENT_TEXT(text) text,
    BOT_INNOCENT(INNOCENT_TEXT)
#undef INNOCENT_TEXT
};

enum {
    WORD_COUNT = sizeof(words) / sizeof(words[0]),
    INNOCENT_COUNT = sizeof(innocents) / sizeof(innocents[0])
};

struct bot_names {
    struct patterns *patterns; /* owned */
};

struct bots {
    struct networks ignored;
    struct spam *spam; /* owned; NULL: no list */
};

/* One header that is being looked at. */
struct look {
    const char *bytes;
    size_t len;
    enum bot_reason reason;
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool counts(const struct look *look, unsigned flags, size_t start, size_t end)
{
    if ((flags & WORD_BEGINS) && start > 0 && is_letter(look->bytes[start - 1]))
        return false;
    if ((flags & WORD_ENDS) && end < look->len && is_letter(look->bytes[end]))
        return false;
    if ((flags & (WORD_FIRST | WORD_ALL)) && start > 0)
        return false;
    return !(flags & WORD_ALL) || end == look->len;
}

/* Whether the word that begins at `start` is a part of an innocent one: "bot" of "cubot". */
static bool is_innocent(const struct look *look, const char *word, size_t start)
{
    for (size_t i = 0; i < INNOCENT_COUNT; i++) {
        const char *part = strstr(innocents[i], word);
        size_t before = part ? (size_t)(part - innocents[i]) : 0;
        size_t len = strlen(innocents[i]);

        if (part && before <= start && start - before + len <= look->len &&
            strncasecmp(look->bytes + start - before, innocents[i], len) == 0)
            return true;
    }
    return false;
}

static void on_word(size_t word, size_t end, void *user)
{
    struct look *look = user;
    size_t start = end - strlen(word_texts[word]);

    /* Of several reasons the last one counts, whatever the order of their words. */
    if (words[word].reason > look->reason &&
        counts(look, words[word].flags, start, end) &&
        !is_innocent(look, word_texts[word], start))
        look->reason = words[word].reason;
}

enum err_code bot_names_new(struct bot_names **ret_names, struct err *err)
{
    struct bot_names *names = mem_calloc(1, sizeof(*names));
    enum err_code code;

    if (!names)
        return err_set(err, ERR_NOMEM, "out of memory");
    code = patterns_new(word_texts, WORD_COUNT, &names->patterns, err);
    if (code) {
        bot_names_free(names);
        return code;
    }
    *ret_names = names;
    return ERR_OK;
}

void bot_names_free(struct bot_names *names)
{
    if (!names)
        return;
    patterns_free(names->patterns);
    mem_free(names);
}

/* "-" is what many programs send, or log, for none. */
static bool is_blank(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != ' ' && bytes[i] != '\t' && bytes[i] != '-')
            return false;
    return true;
}

enum bot_reason bots_of_agent(const struct bot_names *names, const char *user_agent,
                              size_t len)
{
    struct look look = {.bytes = user_agent, .reason = BOT_NONE};

    look.len = len < LOOKED_AT_MAX ? len : LOOKED_AT_MAX;
    if (is_blank(user_agent, look.len))
        return BOT_NO_AGENT;
    patterns_scan(names->patterns, user_agent, look.len, on_word, &look);
    return look.reason;
}

static enum err_code read_ignored(struct bots *bots, const char *text, struct err *err)
{
    struct words list = {0};
    enum err_code code = words_parse(text, &list, err);

    if (!code)
        code = networks_parse(&list, &bots->ignored, err);
    words_release(&list);
    return code ? err_wrap(err, "IGNORE_IPS") : ERR_OK;
}

enum err_code bots_new(const char *ignore_ips, const char *spam_file,
                       struct bots **ret_bots, struct err *err)
{
    struct bots *bots = mem_calloc(1, sizeof(*bots));
    enum err_code code;

    if (!bots)
        return err_set(err, ERR_NOMEM, "out of memory");
    code = read_ignored(bots, ignore_ips, err);
    if (!code && spam_file[0] && spam_new(spam_file, &bots->spam, err))
        code = err_wrap(err, "REFERRER_SPAM_FILE");
    if (code) {
        bots_free(bots);
        return code;
    }
    *ret_bots = bots;
    return ERR_OK;
}

void bots_free(struct bots *bots)
{
    if (!bots)
        return;
    spam_free(bots->spam);
    mem_free(bots);
}

/* "prefetch", "prefetch;prerender", "preview" ... */
static bool is_ahead(const char *purpose)
{
    return purpose && (strstr(purpose, "prefetch") || strstr(purpose, "prerender") ||
                       strstr(purpose, "preview"));
}

enum bot_reason bots_of_request(const struct bots *bots, const struct bot_facts *facts)
{
    if (facts->address && networks_have(&bots->ignored, facts->address))
        return BOT_IGNORED;
    if (bots->spam && facts->referrer &&
        spam_has(bots->spam, facts->referrer, facts->referrer_len))
        return BOT_SPAM;
    if (is_ahead(facts->purpose) || is_ahead(facts->sec_purpose) ||
        is_ahead(facts->x_moz))
        return BOT_PREFETCH;
    if (facts->brands && strstr(facts->brands, "HeadlessChrome"))
        return BOT_HEADLESS;
    return BOT_NONE;
}

const char *bot_reason_name(enum bot_reason reason)
{
    static const char *const names[] = {
#define REASON_NAME(id, name, what) [BOT_##id] = (name),
        BOT_REASONS(REASON_NAME)
#undef REASON_NAME
    };

    return names[reason];
}
