/* size.c -- see size.h. */
#include "processor/rollup/size.h"

enum {
    SHRINK = 2,
    SHRINK_SLOW =
        4, /* after a chunk that took too long: each failure takes as long again */
    GROW_SLOWLY = 8,   /* by an eighth */
    FIRST_ROWS = 5000, /* their time is not known yet */
    GIVE_UP_TRIES = 10
};

void rollup_size_init(struct rollup_size *size, int64_t max_rows, int64_t target_ms)
{
    *size = (struct rollup_size){.max = max_rows,
                                 .target_ms = target_ms,
                                 .rows = max_rows < FIRST_ROWS ? max_rows : FIRST_ROWS,
                                 .position = -1};
}

void rollup_size_fail(struct rollup_size *size, enum err_code code, int64_t position,
                      int64_t waiting)
{
    int64_t taken = size->rows < waiting ? size->rows : waiting;

    if (rollup_size_gives_up(size, position))
        size->tries = 0; /* it could not be set aside either: see size.h */
    if (taken > 1) {
        size->rows = taken / (code == ERR_TIMEOUT ? SHRINK_SLOW : SHRINK);
    } else {
        size->tries = size->position == position ? size->tries + 1 : 1;
        size->position = position;
        size->code = code;
    }
    if (size->rows < 1 || taken <= 1)
        size->rows = 1;
    size->grows_slowly = err_action(code) == ACTION_RETRY;
}

void rollup_size_succeed(struct rollup_size *size, int64_t taken, int64_t took_ms)
{
    int64_t more = size->grows_slowly ? size->rows / GROW_SLOWLY + 1 : size->rows;
    int64_t grown = size->rows < size->max - more ? size->rows + more : size->max;
    int64_t fitting = taken * size->target_ms / (took_ms > 0 ? took_ms : 1);

    if (fitting < size->rows / SHRINK_SLOW)
        fitting = size->rows / SHRINK_SLOW;
    if (took_ms > size->target_ms && fitting < size->rows)
        size->rows = fitting > 1 ? fitting : 1;
    else if (taken < size->rows || fitting >= grown) /* a small one says little */
        size->rows = grown;
    else if (fitting > size->rows)
        size->rows = fitting;
}

int64_t rollup_size_tries(const struct rollup_size *size, int64_t position)
{
    return size->position == position ? size->tries : 0;
}

bool rollup_size_gives_up(const struct rollup_size *size, int64_t position)
{
    return size->rows == 1 && rollup_size_tries(size, position) >= GIVE_UP_TRIES &&
           (size->code == ERR_UNAVAILABLE || size->code == ERR_TIMEOUT);
}
