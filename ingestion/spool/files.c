/* files.c -- see files.h. */
#include "ingestion/spool/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "ingestion/spool/budget.h"
#include "shared/base/failpoint.h"
#include "shared/base/mem.h"
#include "shared/text/uuid.h"

enum {
    DIRECTORY_MODE = 0700, /* events hold what people did */
    FILE_MODE = 0600,
    CREATE_TRIES = 10, /* a reader may lock a new file before its writer does */
};

static const char segment_suffix[] = ".spool";
static const char damaged_suffix[] = ".damaged";

struct spool_files {
    char *path; /* owned; for messages */
    int fd;     /* of the directory */
    struct spool_budget budget;
};

/* The only place that knows errno. */
static enum err_code file_err(struct err *err, const char *what, const char *name)
{
    int number = errno;
    bool is_full = number == ENOSPC || number == EDQUOT || number == EFBIG;
    char text[128];

    return err_set(err, is_full ? ERR_BUSY : ERR_UNAVAILABLE, "could not %s \"%s\": %s",
                   what, name, strerror_r(number, text, sizeof(text)));
}

int64_t spool_files_bytes(struct spool_files *dir)
{
    return spool_budget_used(&dir->budget);
}

int64_t spool_files_room(struct spool_files *dir)
{
    return spool_budget_room(&dir->budget);
}

/* --- looking ---------------------------------------------------------------- */

static bool has_suffix(const char *name, const char *suffix)
{
    size_t len = strlen(name);
    size_t suffix_len = strlen(suffix);

    return len > suffix_len && strcmp(name + len - suffix_len, suffix) == 0;
}

static bool is_segment(const char *name)
{
    return has_suffix(name, segment_suffix) && strlen(name) < SPOOL_NAME_MAX;
}

static DIR *open_listing(struct spool_files *dir, struct err *err)
{
    /* An offset of its own: other threads may be listing too. */
    int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);

    if (!listing) {
        (void)file_err(err, "list the spool", dir->path);
        if (fd >= 0)
            (void)close(fd);
    }
    return listing;
}

/* Counts the bytes of all files. */
static enum err_code measure(struct spool_files *dir, struct err *err)
{
    uint64_t changes = spool_budget_changes(&dir->budget);
    DIR *listing = open_listing(dir, err);
    struct dirent *entry;
    struct stat info;
    int64_t found = 0;

    if (!listing)
        return err->code;
    while ((entry = readdir(listing)) != NULL) {
        if ((has_suffix(entry->d_name, segment_suffix) ||
             has_suffix(entry->d_name, damaged_suffix)) &&
            fstatat(dir->fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0)
            found += info.st_size;
    }
    (void)closedir(listing);
    spool_budget_correct(&dir->budget, changes, found);
    return ERR_OK;
}

/* Finds the first segment by name after *name, and puts it there. */
static enum err_code find_next(struct spool_files *dir, char *name, struct err *err)
{
    DIR *listing = open_listing(dir, err);
    char best[SPOOL_NAME_MAX] = "";
    struct dirent *entry;

    if (!listing)
        return err->code;
    while ((entry = readdir(listing)) != NULL) {
        if (is_segment(entry->d_name) && strcmp(entry->d_name, name) > 0 &&
            (!best[0] || strcmp(entry->d_name, best) < 0))
            memcpy(best, entry->d_name, strlen(entry->d_name) + 1);
    }
    (void)closedir(listing);
    if (!best[0])
        return err_set(err, ERR_NOT_FOUND, "no segment waits in \"%s\"", dir->path);
    memcpy(name, best, sizeof(best));
    return ERR_OK;
}

/* --- locks ------------------------------------------------------------------ */

void spool_files_release(struct spool_file *file)
{
    if (file->fd >= 0)
        (void)close(file->fd); /* gives the lock back */
    file->fd = -1;
}

/* Locks an open file; false when another has it, or has removed it meanwhile. */
static bool lock_file(int fd, struct stat *ret_info)
{
    return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, ret_info) == 0 &&
           S_ISREG(ret_info->st_mode) && ret_info->st_nlink > 0;
}

/* Takes the segment of that name; false when it cannot be had or is empty. */
static bool try_take(struct spool_files *dir, const char *name, struct spool_file *file)
{
    int fd = openat(dir->fd, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat info;

    if (fd < 0)
        return false;
    if (!lock_file(fd, &info))
        goto refused;
    if (info.st_size == 0) {
        /* Its writer died before it wrote, or has only just made it: then that finds it
         * locked or gone, and makes another. */
        (void)unlinkat(dir->fd, name, 0);
        goto refused;
    }
    *file = (struct spool_file){.fd = fd, .len = info.st_size};
    (void)snprintf(file->name, sizeof(file->name), "%s", name);
    return true;

refused:
    (void)close(fd);
    return false;
}

enum err_code spool_files_take(struct spool_files *dir, struct spool_file *ret_file,
                               struct err *err)
{
    char name[SPOOL_NAME_MAX] = "";
    enum err_code code = measure(dir, err);

    if (!code)
        code = FAILPOINT("spool.take", err);
    while (!code) {
        code = find_next(dir, name, err);
        if (!code && try_take(dir, name, ret_file))
            return ERR_OK;
    }
    return code;
}

/* --- writing ---------------------------------------------------------------- */

static enum err_code create_once(struct spool_files *dir, struct spool_file *file,
                                 struct err *err)
{
    struct uuid uuid = uuid_v7(); /* names sort by time */
    struct stat info;

    uuid_format(&uuid, file->name);
    memcpy(file->name + UUID_TEXT_LEN, segment_suffix, sizeof(segment_suffix));
    file->len = 0;
    file->fd = openat(dir->fd, file->name,
                      O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (file->fd < 0)
        return file_err(err, "make the spool file", file->name);
    if (!lock_file(file->fd, &info)) {
        (void)file_err(err, "lock the spool file", file->name);
        /* Empty, so it may go, whichever process has it. */
        (void)unlinkat(dir->fd, file->name, 0);
        spool_files_release(file);
        return err->code;
    }
    return ERR_OK;
}

static enum err_code create(struct spool_files *dir, struct spool_file *file,
                            bool is_flushed, struct err *err)
{
    enum err_code code = ERR_BUG;

    for (int i = 0; i < CREATE_TRIES && code; i++)
        code = create_once(dir, file, err);
    if (!code && is_flushed &&
        fsync(dir->fd) != 0) { /* or a power cut could take the name away */
        code = file_err(err, "flush the spool", dir->path);
        (void)unlinkat(dir->fd, file->name, 0);
        spool_files_release(file);
    }
    return code;
}

static enum err_code write_all(struct spool_file *file, const char *bytes, size_t len,
                               struct err *err)
{
    int64_t offset = file->len;

    while (len > 0) {
        ssize_t written = pwrite(file->fd, bytes, len, offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return file_err(err, "write the spool file", file->name);
        bytes += written;
        offset += written;
        len -= (size_t)written;
    }
    return ERR_OK;
}

static enum err_code flush(struct spool_file *file, struct err *err)
{
    enum err_code code = FAILPOINT("spool.written", err);

    /* Once only: after a failure the kernel may have dropped the pages. */
    if (!code && fdatasync(file->fd) != 0)
        code = file_err(err, "flush the spool file", file->name);
    return code ? code : FAILPOINT("spool.flushed", err);
}

/* Takes away what a failed append has left; false when there is no such file any more, or
 * it cannot be cut: a look at the directory will correct the account then. */
static bool undo_append(struct spool_files *dir, struct spool_file *file)
{
    if (file->fd < 0)
        return false;
    if (file->len == 0)
        (void)unlinkat(dir->fd, file->name, 0);
    return ftruncate(file->fd, file->len) == 0 && file->len > 0;
}

/* False when somebody has removed it: nobody would find what is written there. */
static bool has_name(const struct spool_file *file)
{
    struct stat info;

    return file->fd >= 0 && fstat(file->fd, &info) == 0 && info.st_nlink > 0;
}

/* On failure *file is as it was, as far as that can be done, and otherwise none. */
static enum err_code append(struct spool_files *dir, struct spool_file *file,
                            const char *bytes, size_t len, bool is_flushed,
                            struct err *err)
{
    enum err_code code = ERR_OK;

    if (!spool_budget_begin(&dir->budget, (int64_t)len))
        return err_set(err, ERR_BUSY, "the spool \"%s\" is full", dir->path);
    if (!has_name(file))
        spool_files_release(file);
    if (file->fd < 0)
        code = create(dir, file, is_flushed, err);
    if (!code)
        code = FAILPOINT("spool.write", err);
    if (!code)
        code = write_all(file, bytes, len, err);
    if (!code && is_flushed)
        code = flush(file, err);
    if (!code)
        file->len += (int64_t)len;
    else if (!undo_append(dir, file))
        spool_files_release(file);
    spool_budget_end(&dir->budget, code ? -(int64_t)len : 0);
    return code;
}

enum err_code spool_files_append(struct spool_files *dir, struct spool_file *file,
                                 const char *bytes, size_t len, struct err *err)
{
    enum err_code code = append(dir, file, bytes, len, true, err);

    if (code)
        spool_files_release(file);
    return code;
}

enum err_code spool_files_write(struct spool_files *dir, struct spool_file *file,
                                const char *bytes, size_t len, struct err *err)
{
    return append(dir, file, bytes, len, false, err);
}

enum err_code spool_files_clear(struct spool_files *dir, struct spool_file *file,
                                struct err *err)
{
    enum err_code code = ERR_OK;
    int64_t freed = 0;

    (void)spool_budget_begin(&dir->budget, 0); /* cannot be refused */
    if (ftruncate(file->fd, 0) == 0) {
        freed = file->len;
        file->len = 0;
    } else {
        code = file_err(err, "empty the spool file", file->name);
    }
    spool_budget_end(&dir->budget, -freed);
    return code;
}

/* --- reading ---------------------------------------------------------------- */

enum err_code spool_files_read(const struct spool_file *file, int64_t offset, char *bytes,
                               size_t size, size_t *ret_len, struct err *err)
{
    size_t len = 0;

    while (len < size) {
        ssize_t got = pread(file->fd, bytes + len, size - len, offset + (int64_t)len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return file_err(err, "read the spool file", file->name);
        if (got == 0)
            break;
        len += (size_t)got;
    }
    *ret_len = len;
    return ERR_OK;
}

static enum err_code keep_aside(struct spool_files *dir, const struct spool_file *file,
                                struct err *err)
{
    char name[SPOOL_NAME_MAX + sizeof(damaged_suffix)];
    int stem = (int)(strlen(file->name) - strlen(segment_suffix));

    (void)snprintf(name, sizeof(name), "%.*s%s", stem, file->name, damaged_suffix);
    if (renameat(dir->fd, file->name, dir->fd, name) != 0)
        return file_err(err, "rename the spool file", file->name);
    return ERR_OK;
}

enum err_code spool_files_finish(struct spool_files *dir, struct spool_file *file,
                                 bool is_damaged, struct err *err)
{
    enum err_code code = FAILPOINT("spool.finish", err);
    int64_t freed = 0;

    if (code)
        return code;
    (void)spool_budget_begin(&dir->budget, 0); /* cannot be refused */
    if (is_damaged)
        code = keep_aside(dir, file, err);
    else if (unlinkat(dir->fd, file->name, 0) == 0 || errno == ENOENT)
        freed = file->len; /* no matter who has removed it */
    else
        code = file_err(err, "remove the spool file", file->name);
    if (!code) {
        (void)FAILPOINT("spool.finished", err); /* what is done cannot fail any more */
        spool_files_release(file);
    }
    spool_budget_end(&dir->budget, -freed);
    return code;
}

/* --- life ------------------------------------------------------------------- */

/* Makes a file, locks it and removes it again.  A full disk is no wrong setting. */
static enum err_code check_usable(struct spool_files *dir, struct err *err)
{
    struct spool_file file = {.fd = -1};
    enum err_code code = create(dir, &file, true, err);

    if (code == ERR_BUSY)
        return ERR_OK;
    if (code) {
        err->code = ERR_CONFIG;
        return err_wrap(err, "SPOOL_DIR \"%s\" cannot be used", dir->path);
    }
    (void)unlinkat(dir->fd, file.name, 0); /* or else the next look at it does */
    spool_files_release(&file);
    return ERR_OK;
}

/* Makes the name of a new directory survive a power cut.  Some file systems cannot; then
 * there is nothing to be done about it. */
static void flush_parent(struct spool_files *dir)
{
    int fd = openat(dir->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return;
    (void)fsync(fd);
    (void)close(fd);
}

static enum err_code open_path(struct spool_files *dir, struct err *err)
{
    bool is_new = mkdir(dir->path, DIRECTORY_MODE) == 0;
    char text[128];

    if (is_new || errno == EEXIST)
        dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir->fd < 0)
        return err_set(err, ERR_CONFIG, "SPOOL_DIR \"%s\" cannot be used: %s", dir->path,
                       strerror_r(errno, text, sizeof(text)));
    if (is_new)
        flush_parent(dir);
    return check_usable(dir, err);
}

enum err_code spool_files_open(const char *path, int64_t max_bytes,
                               struct spool_files **ret_dir, struct err *err)
{
    struct spool_files *dir = mem_calloc(1, sizeof(*dir));
    enum err_code code;

    if (!dir)
        return err_set(err, ERR_NOMEM, "out of memory");
    dir->fd = -1;
    if (spool_budget_init(&dir->budget, max_bytes) != ERR_OK) {
        mem_free(dir);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    dir->path = mem_strdup(path);
    code = dir->path ? open_path(dir, err) : err_set(err, ERR_NOMEM, "out of memory");
    if (!code)
        code = measure(dir, err);
    if (code) {
        spool_files_close(dir);
        return code;
    }
    *ret_dir = dir;
    return ERR_OK;
}

void spool_files_close(struct spool_files *dir)
{
    if (!dir)
        return;
    if (dir->fd >= 0)
        (void)close(dir->fd);
    spool_budget_destroy(&dir->budget);
    mem_free(dir->path);
    mem_free(dir);
}
