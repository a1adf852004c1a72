-- KEYS leases, attempts, batch.  ARGV id, reason.
if redis.call('EXISTS', KEYS[3]) == 0 then return 0 end
redis.call('HSET', KEYS[2], ARGV[1]..':error', ARGV[2])
return 1
