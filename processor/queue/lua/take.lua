-- Moves the oldest jobs to a new batch.  SORT that sorts nothing copies a part of a list to
-- another list inside Redis; jobs that pass through Lua cost four times as much, and Redis
-- answers nobody else meanwhile.  The first LTRIM does nothing: an account that may not trim
-- must be refused before the jobs are in two places.
--
-- How long the jobs are is learnt when they are read, which is too late for the first batch
-- of longer ones.  So, unless as many fit whatever ingestion has let in (its jobs have at
-- most 118,784 bytes), both ends of what would be taken are looked at, and as many are taken
-- as fit if all are as long as the longer one; at least one.  By LRANGE, which a claim needs
-- anyway, or accounts would need one more command.
local function size(queue, place)
  return #redis.call('LRANGE', queue, -place, -place)[1]
end
local function take(queue, batch, max, bytes)
  if max > 1 and max * 118784 > bytes then
    local long = math.max(1, size(queue, 1), size(queue, max))
    max = math.max(1, math.min(max, math.floor(bytes / long)))
  end
  redis.call('LTRIM', queue, 0, -1)
  redis.call('SORT', queue, 'BY', 'nosort', 'LIMIT', 0, max, 'DESC', 'STORE', batch)
  redis.call('LTRIM', queue, 0, -(max + 1))
end
