-- KEYS leases, attempts.  ARGV id, owner, lease.  0: somebody else has it.  1: still the
-- owner's.  2: nobody's, as after an acknowledgement.
local owner = redis.call('HGET', KEYS[2], ARGV[1]..':owner')
if not owner then return 2 end
if owner ~= ARGV[2] then return 0 end
redis.call('ZADD', KEYS[1], now() + tonumber(ARGV[3]), ARGV[1])
return 1
