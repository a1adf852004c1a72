/* replay.c -- feeds every file of the folders named on the command line to the target.
 *
 * Each is given whole and cut at every byte, in memory of exactly its size, so that the
 * address sanitizer finds a read past the end.  Exit 1 when there was nothing to feed.
 */
#include <dirent.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

enum {
    SEED_MAX = 8192 /* seeds are small: cutting a large one at every byte takes long */
};

static void feed_cuts(const uint8_t *bytes, size_t len)
{
    for (size_t cut = 0; cut <= len; cut++) {
        uint8_t *copy = malloc(cut ? cut : 1);
        MUST(copy);
        memcpy(copy, bytes, cut);
        (void)LLVMFuzzerTestOneInput(copy, cut); /* always 0 */
        free(copy);
    }
}

static void feed_file(const char *folder, const char *name)
{
    static uint8_t bytes[SEED_MAX + 1];
    char path[4096];
    FILE *file;
    size_t len;
    int path_len = snprintf(path, sizeof(path), "%s/%s", folder, name);

    MUST(path_len > 0 && (size_t)path_len < sizeof(path));
    file = fopen(path, "rb");
    MUST(file);
    len = fread(bytes, 1, sizeof(bytes), file);
    MUST(!ferror(file) && len <= SEED_MAX);
    (void)fclose(file); /* only read from */
    feed_cuts(bytes, len);
}

static size_t feed_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    size_t count = 0;

    MUST(dir);
    for (entry = readdir(dir); entry; entry = readdir(dir)) {
        if (entry->d_name[0] == '.')
            continue;
        feed_file(folder, entry->d_name);
        count++;
    }
    (void)closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    size_t count = 0;

    for (int i = 1; i < argc; i++)
        count += feed_folder(argv[i]);
    (void)printf("%zu seeds\n", count);
    return count > 0 ? 0 : 1;
}
