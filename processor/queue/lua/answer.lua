-- What is said of a batch that was taken; its jobs are read by LRANGE.  0 attempts: nobody
-- has sealed it yet; began (1 or 0) is added to those of one that is sealed.
local function own(id, owner, lease)
  redis.call('ZADD', KEYS[1], now() + lease, id)
  redis.call('HSET', KEYS[2], id..':owner', owner)
end
local function answer(id, batch, began)
  local n = 0
  if redis.call('HEXISTS', KEYS[2], id) == 1 then
    n = redis.call('HINCRBY', KEYS[2], id, began)
  end
  local row = redis.call('HGET', KEYS[2], id..':row') or ''
  return {id, n, row, redis.call('LLEN', batch)}
end
