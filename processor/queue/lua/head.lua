#!lua flags=allow-oom
-- What every script begins with.  allow-oom, because a full Redis must still be drained.
-- Time is Redis's own.  KEYS[1] is the leases and KEYS[2] the attempts, in all of them.
local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local function forget(id)
  redis.call('ZREM', KEYS[1], id)
  redis.call('HDEL', KEYS[2], id, id..':owner', id..':error', id..':row')
end
