/* ask.c -- see ask.h. */
#include "reporting/report/ask.h"

const char *ask_sql_type(enum ask_text_id id)
{
    static const char *const types[ASK_TEXT_COUNT] = {
#define ASK_TYPE(id, type) [ASK_##id] = (type),
        ASK_TEXTS(ASK_TYPE)
#undef ASK_TYPE
    };

    return types[id];
}
