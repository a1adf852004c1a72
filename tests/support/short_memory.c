/* short_memory.c -- a library for LD_PRELOAD: allocations that fail.
 *
 * The file that SHORT_MEMORY names holds a number: of a thousand allocations so many fail,
 * here and there, as long as it is there.  It is looked at now and then only.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

enum {
    LOOK_EVERY = 256
};

static atomic_uint calls;
static atomic_int permille;

/* No function that allocates may be called here. */
static void look(void)
{
    const char *path = getenv("SHORT_MEMORY");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    char text[8] = "";
    int value = 0;

    if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0) {
        for (const char *digit = text; *digit >= '0' && *digit <= '9'; digit++)
            value = 10 * value + (*digit - '0');
    }
    if (fd >= 0)
        (void)close(fd);
    atomic_store(&permille, value);
}

static int fails(void)
{
    unsigned number = atomic_fetch_add(&calls, 1);
    int saved = errno;
    uint32_t mixed = number * 2654435761U;

    if (number % LOOK_EVERY == 0)
        look();
    errno = saved;
    mixed ^= mixed >> 15;
    if ((int)(mixed % 1000) >= atomic_load(&permille))
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return fails() ? NULL : __libc_realloc(memory, size);
}
