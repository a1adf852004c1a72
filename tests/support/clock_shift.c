/* clock_shift.c -- a library for LD_PRELOAD: a wall clock that jumps.
 *
 * The file that CLOCK_SHIFT names holds a number of seconds, by which the wall clock of the
 * process is wrong from then on.  The monotonic clock is left alone, as by settimeofday().
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

typedef int (*clock_fn)(clockid_t, struct timespec *);

static clock_fn next_clock(void)
{
    /* ISO C has no conversion from void * to a function; POSIX promises that it works. */
    static union {
        void *object;
        clock_fn function;
    } found;

    if (!found.object)
        found.object = dlsym(RTLD_NEXT, "clock_gettime");
    if (!found.object)
        abort();
    return found.function;
}

static time_t shift(void)
{
    const char *path = getenv("CLOCK_SHIFT");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    char text[32];
    ssize_t len;

    if (fd < 0)
        return 0;
    len = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    text[len > 0 ? len : 0] = '\0';
    return (time_t)strtoll(text, NULL, 10);
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    int status = next_clock()(id, now);

    if (status == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        now->tv_sec += shift();
    return status;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec time;
    int status = clock_gettime(CLOCK_REALTIME, &time);

    (void)zone;
    if (status == 0) {
        now->tv_sec = time.tv_sec;
        now->tv_usec = time.tv_nsec / 1000;
    }
    return status;
}

time_t time(time_t *ret)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (ret)
        *ret = now.tv_sec;
    return now.tv_sec;
}
