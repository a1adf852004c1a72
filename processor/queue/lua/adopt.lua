-- KEYS leases, attempts, batch.  ARGV id, lease.  1: it had no lease.
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
if redis.call('TYPE', KEYS[3]).ok ~= 'list' then return 0 end
redis.call('ZADD', KEYS[1], now() + tonumber(ARGV[2]), ARGV[1])
return 1
