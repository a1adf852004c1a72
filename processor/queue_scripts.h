/* queue_scripts.h -- the Lua scripts of queue.c.
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

/* Moves the oldest jobs to the batch, at most max of them and as many as take max_bytes.
 * SORT without sorting copies a range of a list inside Redis: through Lua's hands, by RPOP
 * and RPUSH, a job costs three times as much, and its bytes go to the append-only file once
 * more.  An eighth is copied first, to learn how large the jobs are. */
#define SCRIPT_MOVE                                                                      \
    "local function move(queue, batch, max, max_bytes)\n"                                \
    "  local count, moved, bytes\n"                                                      \
    "  local function take(n)\n"                                                         \
    "    count = math.max(1, n)\n"                                                       \
    "    moved = redis.call('SORT', queue, 'BY', 'nosort', 'DESC',\n"                    \
    "        'LIMIT', 0, count, 'STORE', batch)\n"                                       \
    "    bytes = redis.call('MEMORY', 'USAGE', batch, 'SAMPLES', 0) or 0\n"              \
    "  end\n"                                                                            \
    "  take(math.floor(max / 8))\n"                                                      \
    "  if moved == count or bytes > max_bytes then\n"                                    \
    "    take(math.min(max, math.floor(count * max_bytes / bytes)))\n"                   \
    "  end\n"                                                                            \
    "  while bytes > max_bytes and count > 1 do take(math.floor(count / 2)) end\n"       \
    "  redis.call('LTRIM', queue, 0, -1 - moved)\n"                                      \
    "end\n"                                                                              \
    "local function own(id, owner, lease)\n"                                             \
    "  redis.call('ZADD', KEYS[1], now() + lease, id)\n"                                 \
    "  redis.call('HSET', KEYS[2], id..':owner', owner)\n"                               \
    "end\n"                                                                              \
    "local function answer(id, batch)\n"                                                 \
    "  local n = redis.call('HINCRBY', KEYS[2], id, 1)\n"                                \
    "  local row = redis.call('HGET', KEYS[2], id..':row') or ''\n"                      \
    "  return {id, n, row, redis.call('LRANGE', batch, 0, -1)}\n"                        \
    "end\n"

/* KEYS leases, attempts, queue.  ARGV batch key prefix, new id, owner, lease, max, bytes,
 * id of a claim whose answer was lost (a batch that it made is returned first) or ''.
 * {id, attempts, row, jobs}; without jobs the lease is registered and {id, 0, '', {}}. */
static const char script_claim[] = SCRIPT_HEAD SCRIPT_MOVE
    "local prefix, id, owner, lease = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])\n"
    "local waiting = redis.call('LLEN', KEYS[3])\n"
    "local unsure = ARGV[7]\n"
    "if unsure ~= '' and redis.call('EXISTS', prefix..unsure) == 1 and\n"
    "    redis.call('HGET', KEYS[2], unsure..':owner') == owner then\n"
    "  own(unsure, owner, lease)\n"
    "  return answer(unsure, prefix..unsure)\n"
    "end\n"
    "local ended = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now(), 'LIMIT', 0, 20)\n"
    "for _, old in ipairs(ended) do\n"
    "  local kind = redis.call('TYPE', prefix..old).ok\n"
    "  if kind == 'list' and #old <= 63 then\n"
    "    own(old, owner, lease)\n"
    "    return answer(old, prefix..old)\n"
    "  elseif kind == 'none' then\n"
    "    forget(old)\n"
    "  else\n" /* not ours: look again later */
    "    redis.call('ZADD', KEYS[1], now() + lease, old)\n"
    "  end\n"
    "end\n"
    "own(id, owner, lease)\n"
    "if waiting == 0 then return {id, 0, '', {}} end\n"
    "move(KEYS[3], prefix..id, tonumber(ARGV[5]), tonumber(ARGV[6]))\n"
    "return answer(id, prefix..id)\n";

/* KEYS leases, attempts, queue, batch.  ARGV id, owner, lease, max, bytes.  Fills up the
 * batch that the doorbell began, its job put back and taken with the others, unless somebody
 * else has taken it over meanwhile. */
static const char script_fill[] = SCRIPT_HEAD SCRIPT_MOVE
    "local id, owner = ARGV[1], ARGV[2]\n"
    "local other = redis.call('HGET', KEYS[2], id..':owner')\n"
    "if other and other ~= owner then return {id, 0, '', {}} end\n"
    "if redis.call('LLEN', KEYS[4]) == 0 then forget(id) return {id, 0, '', {}} end\n"
    "own(id, owner, tonumber(ARGV[3]))\n"
    "if not redis.call('HGET', KEYS[2], id) then\n" /* nobody has seen the batch yet */
    "  while redis.call('LMOVE', KEYS[4], KEYS[3], 'RIGHT', 'RIGHT') do end\n"
    "  move(KEYS[3], KEYS[4], tonumber(ARGV[4]), tonumber(ARGV[5]))\n"
    "end\n"
    "return answer(id, KEYS[4])\n";

/* KEYS leases, attempts, batch, completed.  ARGV id, jobs stored.  The new total, or -1
 * when the batch was gone: then nothing is counted a second time. */
static const char script_ack[] =
    SCRIPT_HEAD "local found = redis.call('DEL', KEYS[3])\n"
                "forget(ARGV[1])\n"
                "if found == 0 then return -1 end\n"
                "return redis.call('INCRBY', KEYS[4], ARGV[2])\n";

/* KEYS leases, attempts, batch.  ARGV id, owner. */
static const char script_hand_back[] = SCRIPT_HEAD
    "local id = ARGV[1]\n"
    "if redis.call('HGET', KEYS[2], id..':owner') ~= ARGV[2] then return 0 end\n"
    "if redis.call('EXISTS', KEYS[3]) == 0 then forget(id) return 0 end\n"
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
