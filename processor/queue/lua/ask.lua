-- KEYS leases, attempts, batch.  ARGV id, owner, lease.  The answer of a claim once more, of
-- which it is not known what Redis made: without jobs it made nothing, or what it made is
-- somebody else's by now.  What is asked about has been counted.
-- needs answer
local id, owner = ARGV[1], ARGV[2]
if redis.call('TYPE', KEYS[3]).ok ~= 'list' or
    redis.call('HGET', KEYS[2], id..':owner') ~= owner then
  return {id, 0, '', 0}
end
own(id, owner, tonumber(ARGV[3]))
return answer(id, KEYS[3], 0)
