-- KEYS leases, attempts, batch.  ARGV id, owner, "unsure" or "".  A batch that is in doubt may
-- yet be made, by a command that Redis has not come to: its lease is not forgotten, or nobody
-- would look for it before the next scan.
local id = ARGV[1]
if redis.call('HGET', KEYS[2], id..':owner') ~= ARGV[2] then return 0 end
if redis.call('EXISTS', KEYS[3]) == 0 then
  if ARGV[3] == '' then forget(id) end
  return 0
end
redis.call('ZADD', KEYS[1], 0, id)
redis.call('HDEL', KEYS[2], id..':owner', id..':row')
if tonumber(redis.call('HGET', KEYS[2], id) or 0) > 0 then
  redis.call('HINCRBY', KEYS[2], id, -1)
end
return 1
