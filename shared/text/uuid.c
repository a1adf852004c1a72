/* uuid.c -- see uuid.h.
 *
 * Version 7: 48 bits of milliseconds and 12 bits that count within the millisecond, taken
 * together as one number that only ever grows within a thread (RFC 9562, 6.2, method 1),
 * then 62 random bits.  A new millisecond starts its count in the lower half at random, so
 * that ids of several threads mix; a count that runs over borrows from the next
 * millisecond.
 */
#include "shared/text/uuid.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

#include "shared/base/clock.h"
#include "shared/base/hex.h"

enum {
    POOL_BYTES = 256, /* getrandom(2) gives this much in one piece, whatever happens */
    DRAW_BYTES = 10,  /* for one UUID */
};

/* Random bytes fetched ahead: one system call for some 25 UUIDs. */
static _Thread_local struct {
    uint64_t last; /* milliseconds and count of the newest UUID */
    size_t used;   /* bytes of the pool; 0 with nothing fetched yet */
    uint8_t pool[POOL_BYTES];
} thread;

static const uint8_t *draw(void)
{
    const uint8_t *drawn;

    if (thread.used == 0 || thread.used + DRAW_BYTES > POOL_BYTES) {
        ssize_t got = getrandom(thread.pool, POOL_BYTES, 0);
        assert(got == POOL_BYTES); /* Linux has had it since 3.17 */
        thread.used = 0;
    }
    drawn = thread.pool + thread.used;
    thread.used += DRAW_BYTES;
    return drawn;
}

struct uuid uuid_v7(void)
{
    struct uuid uuid;
    const uint8_t *random = draw();
    uint64_t count = (uint64_t)(random[8] << 8 | random[9]) & 0x7ff;
    uint64_t now = (uint64_t)clock_wall_ms() << 12 | count;

    thread.last = now > thread.last ? now : thread.last + 1;
    for (size_t i = 0; i < 6; i++)
        uuid.bytes[i] = (uint8_t)(thread.last >> (52 - 8 * i));
    uuid.bytes[6] = (uint8_t)(0x70 | (thread.last >> 8 & 0x0f));
    uuid.bytes[7] = (uint8_t)thread.last;
    memcpy(uuid.bytes + 8, random, 8);
    uuid.bytes[8] = (uint8_t)(0x80 | (uuid.bytes[8] & 0x3f));
    return uuid;
}

/* The bytes stand in five groups, with a hyphen between two; each ends in front of: */
static const size_t group_ends[] = {4, 6, 8, 10, 16};
enum {
    GROUPS = sizeof(group_ends) / sizeof(group_ends[0])
};

enum err_code uuid_parse(const char *text, size_t len, struct uuid *ret_uuid)
{
    struct uuid uuid = {{0}};
    size_t byte = 0;

    if (len != UUID_TEXT_LEN)
        return ERR_INVALID;
    for (size_t group = 0; group < GROUPS; group++) {
        if (group > 0 && *text++ != '-')
            return ERR_INVALID;
        for (; byte < group_ends[group]; byte++) {
            int high = hex_value(*text++);
            int low = hex_value(*text++);
            if (high < 0 || low < 0)
                return ERR_INVALID;
            uuid.bytes[byte] = (uint8_t)(high << 4 | low);
        }
    }
    *ret_uuid = uuid;
    return ERR_OK;
}

void uuid_format(const struct uuid *uuid, char *out)
{
    static const char digits[] = "0123456789abcdef";
    size_t byte = 0;

    for (size_t group = 0; group < GROUPS; group++) {
        if (group > 0)
            *out++ = '-';
        for (; byte < group_ends[group]; byte++) {
            *out++ = digits[uuid->bytes[byte] >> 4];
            *out++ = digits[uuid->bytes[byte] & 0x0f];
        }
    }
}
