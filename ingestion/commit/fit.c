/* fit.c -- see fit.h. */
#include "ingestion/commit/fit.h"

enum {
    LOST_MAX = 2,       /* once may be chance */
    ANY_BYTES = 1 << 24 /* no group is larger: no limit any more */
};

static void shrink(struct fit *fit, size_t bytes, size_t parts)
{
    fit->max_bytes = parts > 1 ? bytes / 2 + 1 : 1; /* one part at a time */
}

static void grow(struct fit *fit, size_t bytes)
{
    if (fit->max_bytes > 0 && bytes >= fit->max_bytes / 2)
        fit->max_bytes = bytes < ANY_BYTES / 2 ? 2 * bytes : 0;
}

void fit_note(struct fit *fit, enum err_code code, size_t bytes, size_t parts)
{
    fit->lost = code == ERR_TIMEOUT ? fit->lost + 1 : 0;
    if (code == ERR_OK)
        grow(fit, bytes);
    else if (code == ERR_TOO_BIG || fit->lost >= LOST_MAX)
        shrink(fit, bytes, parts);
}

bool fit_has_room(const struct fit *fit, size_t bytes, size_t parts, size_t len)
{
    return parts == 0 || fit->max_bytes == 0 || bytes + len <= fit->max_bytes;
}
