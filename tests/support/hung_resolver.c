/* hung_resolver.c -- a library for LD_PRELOAD: a resolver that takes questions for
 * hangs.invalid and never answers.  The file that RESOLVER_ASKED names is there once one is
 * open.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int (*resolve_fn)(const char *, const char *, const struct addrinfo *,
                          struct addrinfo **);

static resolve_fn next_resolve(void)
{
    /* ISO C has no conversion from void * to a function; POSIX promises that it works. */
    union {
        void *object;
        resolve_fn function;
    } found = {.object = dlsym(RTLD_NEXT, "getaddrinfo")};

    if (!found.object)
        abort();
    return found.function;
}

int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict ret)
{
    const char *path = getenv("RESOLVER_ASKED");

    if (!node || strcmp(node, "hangs.invalid") != 0)
        return next_resolve()(node, service, hints, ret);
    if (path)
        (void)close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    for (;;)
        (void)pause();
}
