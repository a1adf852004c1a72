/* scripts.h -- the Lua scripts of queue.c.
 *
 * Each runs as one step in Redis.  allow-oom, because a full Redis must still be drained.
 * KEYS and ARGV are given above each; time is Redis's own.  Included by queue.c alone.
 */
#ifndef PROCESSOR_QUEUE_SCRIPTS_H
#define PROCESSOR_QUEUE_SCRIPTS_H

#define SCRIPT_HEAD                                                                      \
    "#!lua flags=allow-oom\n"                                                            \
    "local function now()\n"                                                             \
    "  local t = redis.call('TIME')\n"                                                   \
    "  return t[1] * 1000 + math.floor(t[2] / 1000)\n"                                   \
    "end\n"                                                                              \
    "local function forget(id)\n"                                                        \
    "  redis.call('ZREM', KEYS[1], id)\n"                                                \
    "  redis.call('HDEL', KEYS[2], id, id..':owner', id..':error', id..':row')\n"        \
    "end\n"

/* Moves the oldest jobs to a new batch.  SORT that sorts nothing copies a part of a list to
 * another list inside Redis; jobs that pass through Lua cost four times as much, and Redis
 * answers nobody else meanwhile.  The first LTRIM does nothing: an account that may not trim
 * must be refused before the jobs are in two places.
 *
 * How long the jobs are is learnt when they are read, which is too late for the first batch
 * of longer ones.  So, unless as many fit whatever ingestion has let in (its bodies have at
 * most 102,400 bytes), both ends of what would be taken are looked at, and as many are taken
 * as fit if all are as long as the longer one; at least one.  By LRANGE, which a claim needs
 * anyway, or accounts would need one more command. */
#define SCRIPT_TAKE                                                                      \
    "local function size(queue, place)\n"                                                \
    "  return #redis.call('LRANGE', queue, -place, -place)[1]\n"                         \
    "end\n"                                                                              \
    "local function take(queue, batch, max, bytes)\n"                                    \
    "  if max > 1 and max * 102400 > bytes then\n"                                       \
    "    local long = math.max(1, size(queue, 1), size(queue, max))\n"                   \
    "    max = math.max(1, math.min(max, math.floor(bytes / long)))\n"                   \
    "  end\n"                                                                            \
    "  redis.call('LTRIM', queue, 0, -1)\n"                                              \
    "  redis.call('SORT', queue, 'BY', 'nosort', 'LIMIT', 0, max, 'DESC', 'STORE', "     \
    "batch)\n"                                                                           \
    "  redis.call('LTRIM', queue, 0, -(max + 1))\n"                                      \
    "end\n"

/* From the newest on, so that the oldest is at the end again, where the next one is taken. */
#define SCRIPT_PUT_BACK                                                                  \
    "local function put_back(queue, batch, count)\n"                                     \
    "  for _ = 1, count do redis.call('LMOVE', batch, queue, 'RIGHT', 'RIGHT') end\n"    \
    "end\n"

/* What is said of a batch that was taken; its jobs are read by LRANGE.  0 attempts: nobody
 * has sealed it yet; began (1 or 0) is added to those of one that is sealed. */
#define SCRIPT_ANSWER                                                                    \
    "local function own(id, owner, lease)\n"                                             \
    "  redis.call('ZADD', KEYS[1], now() + lease, id)\n"                                 \
    "  redis.call('HSET', KEYS[2], id..':owner', owner)\n"                               \
    "end\n"                                                                              \
    "local function answer(id, batch, began)\n"                                          \
    "  local n = 0\n"                                                                    \
    "  if redis.call('HEXISTS', KEYS[2], id) == 1 then\n"                                \
    "    n = redis.call('HINCRBY', KEYS[2], id, began)\n"                                \
    "  end\n"                                                                            \
    "  local row = redis.call('HGET', KEYS[2], id..':row') or ''\n"                      \
    "  return {id, n, row, redis.call('LLEN', batch)}\n"                                 \
    "end\n"

/* KEYS leases, attempts, queue.  ARGV batch key prefix, new id, owner, lease, max, max
 * bytes.  {id, attempts, row, jobs}; without jobs the lease is registered and
 * {id, 0, '', 0}. */
static const char script_claim[] = SCRIPT_HEAD SCRIPT_TAKE SCRIPT_ANSWER
    "local prefix, id, owner, lease = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])\n"
    "local waiting = redis.call('LLEN', KEYS[3])\n"
    "local ended = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now(), 'LIMIT', 0, 20)\n"
    "for _, old in ipairs(ended) do\n"
    "  local kind = redis.call('TYPE', prefix..old).ok\n"
    "  if kind == 'list' and #old <= 63 then\n"
    "    own(old, owner, lease)\n"
    "    return answer(old, prefix..old, 1)\n"
    "  elseif kind == 'none' then\n"
    "    forget(old)\n"
    "  else\n" /* not ours: look again later */
    "    redis.call('ZADD', KEYS[1], now() + lease, old)\n"
    "  end\n"
    "end\n"
    "own(id, owner, lease)\n"
    "if waiting == 0 then return {id, 0, '', 0} end\n"
    "take(KEYS[3], prefix..id, math.min(tonumber(ARGV[5]), waiting), tonumber(ARGV[6]))\n"
    "return answer(id, prefix..id, 1)\n";

/* KEYS leases, attempts, batch.  ARGV id, owner, lease.  The answer of a claim once more, of
 * which it is not known what Redis made: without jobs it made nothing, or what it made is
 * somebody else's by now.  What is asked about has been counted. */
static const char script_ask[] = SCRIPT_HEAD SCRIPT_ANSWER
    "local id, owner = ARGV[1], ARGV[2]\n"
    "if redis.call('TYPE', KEYS[3]).ok ~= 'list' or\n"
    "    redis.call('HGET', KEYS[2], id..':owner') ~= owner then\n"
    "  return {id, 0, '', 0}\n"
    "end\n"
    "own(id, owner, tonumber(ARGV[3]))\n"
    "return answer(id, KEYS[3], 0)\n";

/* KEYS leases, attempts, queue, batch.  ARGV id, owner, lease, max, max bytes.  Fills up the
 * batch that the doorbell began, unless somebody else has taken it over meanwhile. */
static const char script_fill[] = SCRIPT_HEAD SCRIPT_TAKE SCRIPT_PUT_BACK SCRIPT_ANSWER
    "local id, owner = ARGV[1], ARGV[2]\n"
    "local other = redis.call('HGET', KEYS[2], id..':owner')\n"
    "if other and other ~= owner then return {id, 0, '', 0} end\n"
    "local rung = redis.call('LLEN', KEYS[4])\n"
    "if rung == 0 then forget(id) return {id, 0, '', 0} end\n"
    "own(id, owner, tonumber(ARGV[3]))\n"
    "local waiting = redis.call('LLEN', KEYS[3])\n"
    "if redis.call('HEXISTS', KEYS[2], id) == 0 and waiting > 0 then\n"
    "  put_back(KEYS[3], KEYS[4], rung)\n"
    "  take(KEYS[3], KEYS[4], math.min(tonumber(ARGV[4]), waiting + rung), "
    "tonumber(ARGV[5]))\n"
    "end\n"
    "return answer(id, KEYS[4], 1)\n";

/* KEYS leases, attempts, queue, batch.  ARGV id, owner, lease, jobs to keep.  From here on the
 * batch never changes; the jobs behind those that are kept go back.  How often it was begun,
 * 1; or 0 when somebody else has it. */
static const char script_seal[] = SCRIPT_HEAD SCRIPT_PUT_BACK SCRIPT_ANSWER
    "local id, owner = ARGV[1], ARGV[2]\n"
    "if redis.call('HGET', KEYS[2], id..':owner') ~= owner then return 0 end\n"
    "local count = redis.call('LLEN', KEYS[4])\n"
    "if count == 0 then forget(id) return 0 end\n"
    "if redis.call('HEXISTS', KEYS[2], id) == 0 then\n"
    "  put_back(KEYS[3], KEYS[4], count - tonumber(ARGV[4]))\n"
    "end\n"
    "own(id, owner, tonumber(ARGV[3]))\n"
    "return redis.call('HINCRBY', KEYS[2], id, 1)\n";

/* KEYS leases, attempts, batch, completed, queue.  ARGV id, jobs stored, jobs of the claim.
 * The new total, or -1 when the batch was gone: then nothing is counted a second time.  A
 * Redis restored from an older state may have forgotten the seal, and with it that jobs
 * behind those of the claim were given back: nobody has stored these. */
static const char script_ack[] = SCRIPT_HEAD SCRIPT_PUT_BACK
    "if redis.call('TYPE', KEYS[3]).ok == 'list' then\n"
    "  put_back(KEYS[5], KEYS[3], redis.call('LLEN', KEYS[3]) - tonumber(ARGV[3]))\n"
    "end\n"
    "local found = redis.call('DEL', KEYS[3])\n"
    "forget(ARGV[1])\n"
    "if found == 0 then return -1 end\n"
    "return redis.call('INCRBY', KEYS[4], ARGV[2])\n";

/* KEYS leases, attempts, batch.  ARGV id, owner, "unsure" or "".  A batch that is in doubt may
 * yet be made, by a command that Redis has not come to: its lease is not forgotten, or nobody
 * would look for it before the next scan. */
static const char script_hand_back[] = SCRIPT_HEAD
    "local id = ARGV[1]\n"
    "if redis.call('HGET', KEYS[2], id..':owner') ~= ARGV[2] then return 0 end\n"
    "if redis.call('EXISTS', KEYS[3]) == 0 then\n"
    "  if ARGV[3] == '' then forget(id) end\n"
    "  return 0\n"
    "end\n"
    "redis.call('ZADD', KEYS[1], 0, id)\n"
    "redis.call('HDEL', KEYS[2], id..':owner', id..':row')\n"
    "if tonumber(redis.call('HGET', KEYS[2], id) or 0) > 0 then\n"
    "  redis.call('HINCRBY', KEYS[2], id, -1)\n"
    "end\n"
    "return 1\n";

/* KEYS leases, attempts.  ARGV id, owner, lease.  0: somebody else has it.  1: still the
 * owner's.  2: nobody's, as after an acknowledgement. */
static const char script_renew[] =
    SCRIPT_HEAD "local owner = redis.call('HGET', KEYS[2], ARGV[1]..':owner')\n"
                "if not owner then return 2 end\n"
                "if owner ~= ARGV[2] then return 0 end\n"
                "redis.call('ZADD', KEYS[1], now() + tonumber(ARGV[3]), ARGV[1])\n"
                "return 1\n";

/* KEYS leases, attempts, batch.  ARGV id, reason. */
static const char script_note[] =
    SCRIPT_HEAD "if redis.call('EXISTS', KEYS[3]) == 0 then return 0 end\n"
                "redis.call('HSET', KEYS[2], ARGV[1]..':error', ARGV[2])\n"
                "return 1\n";

/* KEYS leases, attempts.  ARGV id, "<place> <how many workers marked it>" or "". */
static const char script_mark[] =
    SCRIPT_HEAD "local field = ARGV[1]..':row'\n"
                "if ARGV[2] == '' then return redis.call('HDEL', KEYS[2], field) end\n"
                "return redis.call('HSET', KEYS[2], field, ARGV[2])\n";

/* KEYS leases, attempts, batch.  ARGV id, lease.  1: it had no lease. */
static const char script_adopt[] =
    SCRIPT_HEAD "if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end\n"
                "if redis.call('TYPE', KEYS[3]).ok ~= 'list' then return 0 end\n"
                "redis.call('ZADD', KEYS[1], now() + tonumber(ARGV[2]), ARGV[1])\n"
                "return 1\n";

#endif
