/* click.c -- see click.h. */
#include "ingestion/enrich/click.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "ingestion/enrich/click_names.h"

static const struct click clicks[] = {
#define CLICK(text, KIND, is_paid) {(text), SOURCE_##KIND, (is_paid)},
    CLICK_NAMES(CLICK)
#undef CLICK
};

const struct click *click_find(const struct event_text *key)
{
    for (size_t i = 0; i < sizeof(clicks) / sizeof(clicks[0]); i++) {
        if (strlen(clicks[i].name) == key->len &&
            strncasecmp(clicks[i].name, key->bytes, key->len) == 0)
            return &clicks[i];
    }
    return NULL;
}
