-- KEYS leases, attempts, queue, batch.  ARGV id, owner, lease, max, max bytes.  Fills up the
-- batch that the doorbell began, unless somebody else has taken it over meanwhile.
-- needs take put_back answer
local id, owner = ARGV[1], ARGV[2]
local other = redis.call('HGET', KEYS[2], id..':owner')
if other and other ~= owner then return {id, 0, '', 0} end
local rung = redis.call('LLEN', KEYS[4])
if rung == 0 then forget(id) return {id, 0, '', 0} end
own(id, owner, tonumber(ARGV[3]))
local waiting = redis.call('LLEN', KEYS[3])
if redis.call('HEXISTS', KEYS[2], id) == 0 and waiting > 0 then
  put_back(KEYS[3], KEYS[4], rung)
  take(KEYS[3], KEYS[4], math.min(tonumber(ARGV[4]), waiting + rung), tonumber(ARGV[5]))
end
return answer(id, KEYS[4], 1)
