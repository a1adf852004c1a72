/* folder.h -- what stands in the files of a folder, for the judgement of the fuzz targets. */
#ifndef TESTS_FUZZ_FOLDER_H
#define TESTS_FUZZ_FOLDER_H

#include <stdbool.h>

/* Whether these bytes stand somewhere in one of its files, of which 1 MiB each is read. */
bool folder_has(const char *path, const char *mark);

#endif
