/* folder.c -- see folder.h. */
#include "tests/fuzz/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

enum {
    FILE_BYTES_MAX = 1 << 20
};

static bool is_in_file(int folder, const char *name, const char *mark)
{
    static char bytes[FILE_BYTES_MAX];
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, bytes, sizeof(bytes));

    if (fd >= 0)
        (void)close(fd);
    return len > 0 && memmem(bytes, (size_t)len, mark, strlen(mark)) != NULL;
}

bool folder_has(const char *path, const char *mark)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    bool is_there = false;

    MUST(folder);
    while (!is_there && (entry = readdir(folder)) != NULL)
        is_there =
            entry->d_name[0] != '.' && is_in_file(dirfd(folder), entry->d_name, mark);
    (void)closedir(folder);
    return is_there;
}
