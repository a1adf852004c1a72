-- KEYS leases, attempts, queue.  ARGV batch key prefix, new id, owner, lease, max, max
-- bytes.  {id, attempts, row, jobs}; without jobs the lease is registered and
-- {id, 0, '', 0}.
-- needs take answer
local prefix, id, owner, lease = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local waiting = redis.call('LLEN', KEYS[3])
local ended = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now(), 'LIMIT', 0, 20)
for _, old in ipairs(ended) do
  local kind = redis.call('TYPE', prefix..old).ok
  if kind == 'list' and #old <= 63 then
    own(old, owner, lease)
    return answer(old, prefix..old, 1)
  elseif kind == 'none' then
    forget(old)
  else -- not ours: look again later
    redis.call('ZADD', KEYS[1], now() + lease, old)
  end
end
own(id, owner, lease)
if waiting == 0 then return {id, 0, '', 0} end
take(KEYS[3], prefix..id, math.min(tonumber(ARGV[5]), waiting), tonumber(ARGV[6]))
return answer(id, prefix..id, 1)
