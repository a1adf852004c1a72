/* fsync_log.c -- a library for LD_PRELOAD: notes what the disk has for sure.
 *
 * After each fdatasync() or fsync() that succeeded a line is added to the file that
 * FSYNC_LOG names: how many bytes the file had before the call, and its path.  A test that
 * ends the process and cuts its files to those lengths has done what a power cut does: all
 * that was only in the page cache is gone.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef int (*sync_fn)(int);

static sync_fn next_of(const char *call)
{
    /* ISO C has no conversion from void * to a function; POSIX promises that it works. */
    union {
        void *object;
        sync_fn function;
    } found = {.object = dlsym(RTLD_NEXT, call)};

    if (!found.object)
        abort();
    return found.function;
}

static void note(int fd, long long size)
{
    const char *log = getenv("FSYNC_LOG");
    char name[64];
    char path[1024];
    ssize_t len;
    int out;

    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    len = readlink(name, path, sizeof(path) - 1);
    out =
        log && len > 0 ? open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (out < 0)
        return;
    path[len] = '\0';
    (void)dprintf(out, "%lld %s\n", size, path); /* one write: lines do not mix */
    (void)close(out);
}

static int sync_and_note(const char *call, int fd)
{
    struct stat info;
    int is_known = fstat(fd, &info) == 0;
    int status = next_of(call)(fd);

    if (status == 0 && is_known)
        note(fd, (long long)info.st_size);
    return status;
}

int fdatasync(int fd)
{
    return sync_and_note("fdatasync", fd);
}

int fsync(int fd)
{
    return sync_and_note("fsync", fd);
}
