/* files.h -- the directory of the spool: its files, its locks and its budget.
 *
 * Files named *.spool are segments.  A living writer, or reader, of a segment holds a lock
 * on it (flock).  So every segment without a lock is finished, or was left by a process
 * that died, and belongs to the loop that locks it first.  So nothing has to be handed over
 * when a loop or a process ends, however it ends.  *.damaged are segments kept for a person to
 * look at; renamed to *.spool they are read again, which is harmless.
 *
 * The bytes of all these files together have a limit.  One object serves all loops; the
 * functions under "blocking" are for the thread pool.  Thread-safe.
 */
#ifndef INGESTION_SPOOL_FILES_H
#define INGESTION_SPOOL_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"

struct spool_files; /* opaque */

enum {
    SPOOL_NAME_MAX = 64
};

/* A segment that this process has locked. */
struct spool_file {
    int fd; /* -1: none */
    char name[SPOOL_NAME_MAX];
    int64_t len;
};

/* Makes the directory if it is missing (not its parents), and makes sure that files can be
 * made and locked there.  ERR_CONFIG with a sentence for the operator; ERR_NOMEM. */
enum err_code spool_files_open(const char *path, int64_t max_bytes,
                               struct spool_files **ret_dir, struct err *err) MUST_CHECK;

/* NULL is fine. */
void spool_files_close(struct spool_files *dir);

/* Bytes in all its files now, as far as is known without looking. */
int64_t spool_files_bytes(struct spool_files *dir);

/* Bytes that may be added to them. */
int64_t spool_files_room(struct spool_files *dir);

/* --- blocking --------------------------------------------------------------- */

/* Appends the bytes to the segment, a new one if *file is none, and returns when the disk
 * has them.  After a failure *file is none: what it held before stays in its file, and
 * what was appended is taken away again as far as that can be done.
 *
 * ERR_BUSY         the limit is reached, or the disk is full
 * ERR_UNAVAILABLE  the disk does not take it */
enum err_code spool_files_append(struct spool_files *dir, struct spool_file *file,
                                 const char *bytes, size_t len,
                                 struct err *err) MUST_CHECK;

/* The same, but leaves it to the system when the disk gets the bytes: they outlive every
 * process, and not the machine.  After a failure *file is as it was before, and none if
 * that could not be done. */
enum err_code spool_files_write(struct spool_files *dir, struct spool_file *file,
                                const char *bytes, size_t len,
                                struct err *err) MUST_CHECK;

/* Takes everything out of a segment of ours, and keeps it for more.  ERR_UNAVAILABLE: it is
 * as it was. */
enum err_code spool_files_clear(struct spool_files *dir, struct spool_file *file,
                                struct err *err) MUST_CHECK;

/* Locks the oldest segment that nobody else has.
 *
 * ERR_NOT_FOUND    there is none
 * ERR_UNAVAILABLE  the directory cannot be read */
enum err_code spool_files_take(struct spool_files *dir, struct spool_file *ret_file,
                               struct err *err) MUST_CHECK;

/* Reads up to size bytes at the offset; fewer only at the end of the file. */
enum err_code spool_files_read(const struct spool_file *file, int64_t offset, char *bytes,
                               size_t size, size_t *ret_len, struct err *err) MUST_CHECK;

/* Removes a segment that is not needed any more, or keeps it as *.damaged, and lets go of
 * it.  ERR_UNAVAILABLE: it is still there and still locked; call again. */
enum err_code spool_files_finish(struct spool_files *dir, struct spool_file *file,
                                 bool is_damaged, struct err *err) MUST_CHECK;

/* Lets go of a segment and leaves it where it is. */
void spool_files_release(struct spool_file *file);

#endif
