-- From the newest on, so that the oldest is at the end again, where the next one is taken.
local function put_back(queue, batch, count)
  for _ = 1, count do redis.call('LMOVE', batch, queue, 'RIGHT', 'RIGHT') end
end
