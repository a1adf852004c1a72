-- KEYS leases, attempts, batch, completed, queue.  ARGV id, jobs stored, jobs of the claim.
-- The new total, or -1 when the batch was gone: then nothing is counted a second time.  A
-- Redis restored from an older state may have forgotten the seal, and with it that jobs
-- after those of the claim were given back: nobody has stored these.
-- needs put_back
if redis.call('TYPE', KEYS[3]).ok == 'list' then
  put_back(KEYS[5], KEYS[3], redis.call('LLEN', KEYS[3]) - tonumber(ARGV[3]))
end
local found = redis.call('DEL', KEYS[3])
forget(ARGV[1])
if found == 0 then return -1 end
return redis.call('INCRBY', KEYS[4], ARGV[2])
