/* replay.h -- dead letters back into the queue.
 *
 * For each page of letters:
 *
 *   make the jobs -> push them in one step -> delete the letters, by their identity
 *
 * In between the process may die, the answer of either server may be lost, the job may
 * be stored, or fail again.  Nothing is lost: a letter is deleted after its job was
 * pushed, and only while it is the letter that was read; a job that has failed again has
 * made it another one (dead.c).  Nothing is doubled: a job has the letter's event_id,
 * also one that had none, and that is the key of its row; so a letter that is replayed
 * again stores nothing the second time.
 */
#ifndef PROCESSOR_DEAD_REPLAY_H
#define PROCESSOR_DEAD_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "processor/dead/letters.h"
#include "processor/queue/queue.h"
#include "shared/base/buf.h"
#include "shared/base/err.h"

struct event_parser;

struct dead_replay {
    struct dead_letters *letters; /* borrowed, as the two below */
    struct queue *queue;
    struct buf *out;             /* a line on each letter is appended here */
    bool json;                   /* the lines are JSON */
    struct event_parser *parser; /* owned */
    struct buf jobs;
    struct buf identities;
    size_t starts[DEAD_PAGE_ROWS + 1]; /* of each job in jobs, and the end */
    size_t count;                      /* jobs of the page */
    int64_t replayed;                  /* letters whose job is in the queue again */
    int64_t skipped;                   /* letters whose job can never be an event */
    int64_t kept; /* of the replayed ones: letters that had changed meanwhile */
};

/* ERR_NOMEM; dead_replay_release() takes a half-built one. */
enum err_code dead_replay_init(struct dead_replay *replay, struct dead_letters *letters,
                               struct queue *queue, struct buf *out, bool json,
                               struct err *err) MUST_CHECK;
void dead_replay_release(struct dead_replay *replay);

/* Replays the next page; *ret_count is how many letters it had, 0 after the last.  On
 * failure the letters of the page stay, and nothing was appended about them. */
enum err_code dead_replay_page(struct dead_replay *replay, size_t *ret_count,
                               struct err *err) MUST_CHECK;

/* Appends the letter's job in canonical form, with the letter's event_id.
 *
 * ERR_INVALID  it breaks a rule, which the sentence names, or was not kept whole */
enum err_code dead_replay_job(struct event_parser *parser, const struct letter *letter,
                              struct buf *out, struct err *err) MUST_CHECK;

#endif
