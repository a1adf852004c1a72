/* reader.h -- a bound that hiredis's reply reader lacks.
 *
 * The reader allocates all of an array as soon as its length has arrived: without a bound
 * "*2147483647" alone takes 16 GiB.
 */
#ifndef SHARED_REDIS_READER_H
#define SHARED_REDIS_READER_H

#include <hiredis/hiredis.h>

enum {
    REDIS_ELEMENTS_MAX = 1 << 20 /* of one array; a batch has 100,000 jobs at most */
};

/* From now on a longer array is an error of the reader.  From any thread. */
void redis_reader_bound(redisReader *reader);

#endif
