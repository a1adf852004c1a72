/* salts.h -- the salts of the days, which make visitors' numbers and are then forgotten.
 *
 * All processes share the salt of a day through Redis: whoever comes first sets it, with an
 * end after 48 hours, and everybody else is told it by the same command.  It is asked for an
 * hour before its day begins.  Only ingestion holds salts; they are in no log and no file of
 * its own.
 *
 *   unknown --salts_take(): made here--> own --Redis takes it, or says another--> shared
 *        '------------------------ Redis says it -------------------------------> shared
 *
 * With Redis away, or one that does not allow it, the process's own salt holds.  What Redis
 * says later replaces it at once and not on the next day: a visitor counts twice who came
 * both before and after that, while an own salt that was kept would count twice whoever was
 * there before the trouble or comes to another process.  After each connect Redis is told
 * the salts in use, so that one which has lost its data gets them back.
 *
 * One for all loops: salts_take() and salts_is_own() from any thread, the rest from that of
 * the loop which asks Redis.
 */
#ifndef INGESTION_SALTS_H
#define INGESTION_SALTS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "shared/base/err.h"

struct redis_uv;
struct salts; /* opaque */
struct siphash_key;

/* starts_hour: VISITOR_DAY_STARTS_UTC.  ERR_NOMEM. */
enum err_code salts_new(int64_t starts_hour, struct salts **ret_salts,
                        struct err *err) MUST_CHECK;
void salts_free(struct salts *salts); /* wipes them; NULL is fine */

/* The salt of the day; false: one that this process made for itself. */
bool salts_take(struct salts *salts, int64_t wall_ms, struct siphash_key *ret_salt);

/* Whether visitors of this day have numbers that no other process would give them. */
bool salts_is_own(struct salts *salts, int64_t wall_ms);

/* Shares them through this Redis from now on; stop before that is stopped. */
enum err_code salts_start(struct salts *salts, uv_loop_t *loop, struct redis_uv *redis,
                          struct err *err) MUST_CHECK;
void salts_stop(struct salts *salts);

/* The connection is ready: asks at once. */
void salts_on_ready(struct salts *salts);

#endif
