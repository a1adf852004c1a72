/* reader.c -- see reader.h. */
#include "shared/redis/reader.h"

#if HIREDIS_MAJOR >= 1

void redis_reader_bound(redisReader *reader)
{
    reader->maxelements = REDIS_ELEMENTS_MAX;
}

#else

#include <pthread.h>
#include <stddef.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static redisReplyObjectFunctions bounded; /* under the lock until it is filled */
static void *(*make_array)(const redisReadTask *task, int count);

static void *make_bounded_array(const redisReadTask *task, int count)
{
    return count > REDIS_ELEMENTS_MAX ? NULL : make_array(task, count);
}

void redis_reader_bound(redisReader *reader)
{
    (void)pthread_mutex_lock(&lock);
    if (!make_array) {
        make_array = reader->fn->createArray;
        bounded = *reader->fn;
        bounded.createArray = make_bounded_array;
    }
    (void)pthread_mutex_unlock(&lock);
    reader->fn = &bounded;
}

#endif
