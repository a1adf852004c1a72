/* process_stats.c -- see process_stats.h.  A figure that cannot be read stays what it was:
 * there is nobody to tell. */
#include "shared/daemon/process_stats.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/base/log.h"

static const char *const version[] = {ANALYTICS_VERSION};

#define FIELD(field) offsetof(struct process_stats, field)

const struct metric_item process_metric_items[] = {
    {.name = "cpu_seconds_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(cpu_us),
     .help = "User and system time of the process in seconds.",
     .per_unit = 1000000},
    {.name = "resident_memory_bytes",
     .kind = METRIC_GAUGE,
     .offset = FIELD(resident_bytes),
     .help = "Memory of the process that is in RAM."},
    {.name = "virtual_memory_bytes",
     .kind = METRIC_GAUGE,
     .offset = FIELD(virtual_bytes),
     .help = "Address space of the process."},
    {.name = "open_fds",
     .kind = METRIC_GAUGE,
     .offset = FIELD(open_files),
     .help = "Open file descriptors."},
    {.name = "max_fds",
     .kind = METRIC_GAUGE,
     .offset = FIELD(open_files_max),
     .help = "Limit of open file descriptors."},
    {.name = "threads",
     .kind = METRIC_GAUGE,
     .offset = FIELD(threads),
     .help = "Threads of the process."},
    {.name = "start_time_seconds",
     .kind = METRIC_GAUGE,
     .offset = FIELD(start_ms),
     .help = "Start of the process in seconds since 1970.",
     .per_unit = 1000},
    {.name = NULL},
};

const struct metric_item daemon_metric_items[] = {
    {.name = "build_info",
     .kind = METRIC_GAUGE,
     .offset = FIELD(one),
     .help = "Always 1; the version is in the label.",
     .count = 1,
     .labels = {{"version", version}}},
    {.name = "uptime_seconds",
     .kind = METRIC_GAUGE,
     .offset = FIELD(uptime_ms),
     .help = "Time since the start.",
     .per_unit = 1000},
    {.name = "log_lines_dropped_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(lines_dropped),
     .help = "Lines of the log that were dropped because nobody read them."},
    {.name = NULL},
};

/* Reads the start of a file of /proc; false when that fails. */
static bool read_text(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len;

    if (fd < 0)
        return false;
    len = read(fd, out, size - 1);
    (void)close(fd); /* nothing was written */
    if (len <= 0)
        return false;
    out[len] = '\0';
    return true;
}

static void refresh_memory(struct process_stats *stats)
{
    int64_t page = sysconf(_SC_PAGESIZE);
    char text[128];
    char *rest;

    if (!read_text("/proc/self/statm", text, sizeof(text)))
        return;
    metric_set(&stats->virtual_bytes, strtoll(text, &rest, 10) * page);
    metric_set(&stats->resident_bytes, strtoll(rest, NULL, 10) * page);
}

static int64_t count_entries(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    int64_t count = 0;

    if (!dir)
        return -1;
    while ((entry = readdir(dir)) != NULL)
        count += entry->d_name[0] != '.';
    (void)closedir(dir); /* nothing was written */
    return count;
}

static void refresh_files(struct process_stats *stats)
{
    int64_t open_now = count_entries("/proc/self/fd") - 1; /* its own does not count */
    struct rlimit limit;

    if (open_now > 0)
        metric_set(&stats->open_files, open_now);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        metric_set(&stats->open_files_max, (int64_t)limit.rlim_cur);
}

static void refresh_times(struct process_stats *stats)
{
    struct rusage usage;

    metric_set(&stats->uptime_ms, clock_mono_ms() - stats->start_mono_ms);
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return;
    metric_set(&stats->cpu_us,
               (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
                   usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

void process_stats_refresh(struct process_stats *stats)
{
    int64_t threads = count_entries("/proc/self/task");

    refresh_memory(stats);
    refresh_files(stats);
    refresh_times(stats);
    if (threads > 0)
        metric_set(&stats->threads, threads);
    metric_set(&stats->lines_dropped, log_dropped());
}

void process_stats_init(struct process_stats *stats)
{
    metric_set(&stats->one, 1);
    metric_set(&stats->start_ms, clock_wall_ms());
    stats->start_mono_ms = clock_mono_ms();
    process_stats_refresh(stats);
}
