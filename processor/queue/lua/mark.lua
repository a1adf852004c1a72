-- KEYS leases, attempts.  ARGV id, "<place> <how many workers marked it>" or "".
local field = ARGV[1]..':row'
if ARGV[2] == '' then return redis.call('HDEL', KEYS[2], field) end
return redis.call('HSET', KEYS[2], field, ARGV[2])
