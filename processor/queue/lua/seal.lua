-- KEYS leases, attempts, queue, batch.  ARGV id, owner, lease, jobs to keep.  From here on the
-- batch never changes; the jobs after those that are kept go back.  How often it was begun,
-- 1; or 0 when somebody else has it.
-- needs put_back answer
local id, owner = ARGV[1], ARGV[2]
if redis.call('HGET', KEYS[2], id..':owner') ~= owner then return 0 end
local count = redis.call('LLEN', KEYS[4])
if count == 0 then forget(id) return 0 end
if redis.call('HEXISTS', KEYS[2], id) == 0 then
  put_back(KEYS[3], KEYS[4], count - tonumber(ARGV[4]))
end
own(id, owner, tonumber(ARGV[3]))
return redis.call('HINCRBY', KEYS[2], id, 1)
