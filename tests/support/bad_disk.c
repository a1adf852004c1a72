/* bad_disk.c -- a library for LD_PRELOAD: file calls that fail or take long.
 *
 * The file that BAD_DISK names has lines such as
 *
 *     fdatasync delay 700     milliseconds, before the call
 *     fdatasync hang 0        until the line is gone, before the call
 *     pwrite fail 28          errno, in place of the call
 *     pwrite half 28          half of the bytes are written first
 *
 * It is read at every call, so that a test can change its mind.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

struct rule {
    char action[16];
    int value;
};

static struct rule find_rule(const char *call)
{
    struct rule rule = {"", 0};
    const char *path = getenv("BAD_DISK");
    FILE *file = path ? fopen(path, "re") : NULL;
    char line[128];
    char name[32];

    while (file && fgets(line, sizeof(line), file)) {
        struct rule found;
        if (sscanf(line, "%31s %15s %d", name, found.action, &found.value) == 3 &&
            strcmp(name, call) == 0)
            rule = found;
    }
    if (file)
        (void)fclose(file);
    return rule;
}

static void wait_ms(int ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000L};

    while (nanosleep(&time, &time) != 0 && errno == EINTR) {
    }
}

/* Does what the rule says; true when the call is to fail. */
static int meets_trouble(const char *call, struct rule *rule)
{
    while (strcmp(rule->action, "hang") == 0) {
        wait_ms(1);
        *rule = find_rule(call);
    }
    if (strcmp(rule->action, "delay") == 0)
        wait_ms(rule->value);
    if (strcmp(rule->action, "fail") != 0)
        return 0;
    errno = rule->value;
    return 1;
}

static void *next_of(const char *call)
{
    void *next = dlsym(RTLD_NEXT, call);

    if (!next)
        abort();
    return next;
}

/* ISO C has no conversion from void * to a function; POSIX promises that it works. */
#define CALL_NEXT(call, type, ...)                                                       \
    ((union {                                                                            \
        void *object;                                                                    \
        type function;                                                                   \
    }){.object = next_of(call)})                                                         \
        .function(__VA_ARGS__)

typedef int (*fdatasync_fn)(int);
typedef ssize_t (*pwrite_fn)(int, const void *, size_t, off64_t);
typedef ssize_t (*pread_fn)(int, void *, size_t, off64_t);
typedef int (*ftruncate_fn)(int, off64_t);
typedef int (*unlinkat_fn)(int, const char *, int);

int fdatasync(int fd)
{
    struct rule rule = find_rule("fdatasync");

    return meets_trouble("fdatasync", &rule) ? -1
                                             : CALL_NEXT("fdatasync", fdatasync_fn, fd);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t offset)
{
    struct rule rule = find_rule("pwrite");

    if (meets_trouble("pwrite", &rule))
        return -1;
    if (strcmp(rule.action, "half") == 0) {
        (void)CALL_NEXT("pwrite64", pwrite_fn, fd, bytes, len / 2, offset);
        errno = rule.value;
        return -1;
    }
    return CALL_NEXT("pwrite64", pwrite_fn, fd, bytes, len, offset);
}

ssize_t pread64(int fd, void *bytes, size_t len, off64_t offset)
{
    struct rule rule = find_rule("pread");

    return meets_trouble("pread", &rule)
               ? -1
               : CALL_NEXT("pread64", pread_fn, fd, bytes, len, offset);
}

int ftruncate64(int fd, off64_t len)
{
    struct rule rule = find_rule("ftruncate");

    return meets_trouble("ftruncate", &rule)
               ? -1
               : CALL_NEXT("ftruncate64", ftruncate_fn, fd, len);
}

int unlinkat(int dir, const char *name, int flags)
{
    struct rule rule = find_rule("unlinkat");

    return meets_trouble("unlinkat", &rule)
               ? -1
               : CALL_NEXT("unlinkat", unlinkat_fn, dir, name, flags);
}
