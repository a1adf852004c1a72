-- post.lua -- wrk's requests: POST /event, each event different.
--
--   wrk -s post.lua URL -- POOL DAY START PAUSE_MS
--
-- POOL is the Lua file that events.py writes, DAY the day of the timestamps (2025-11-14),
-- START the number of the first event, one millisecond apart.  PAUSE_MS is the mean pause of a
-- connection before each request, drawn at random, so that the connections keep no step.

local USERS = 100000
local heads, users, millis = {}, {}, {}
local number, middle, second, clock

-- The part of the body between the user's number and the milliseconds.
local function set_clock()
  second = math.floor(number / 1000) % 86400
  clock = string.format('%s%02d:%02d:%02d.', middle, math.floor(second / 3600),
                        math.floor(second / 60) % 60, second % 60)
end

function init(args)
  heads = dofile(args[1])
  middle = '","timestamp":"' .. args[2] .. 'T'
  number = tonumber(args[3])
  math.randomseed(number + 1)
  local pause = tonumber(args[4])
  if pause > 0 then
    -- wrk asks for a delay before each request only if there is such a function.
    delay = function() return math.random(0, 2 * pause) end
  end
  for i = 0, USERS - 1 do
    users[i] = string.format('%06d', i)
  end
  for i = 0, 999 do
    millis[i] = string.format('%03dZ"}', i)
  end
  set_clock()
end

function request()
  local ms = number % 1000
  if ms == 0 then
    set_clock()
  end
  number = number + 1
  return heads[math.random(#heads)] .. users[math.random(0, USERS - 1)] .. clock .. millis[ms]
end
