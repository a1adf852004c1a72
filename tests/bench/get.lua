-- get.lua -- wrk's requests: GET of some targets (between spaces) in turn, at a pace.
--
--   wrk -s get.lua URL -- TARGETS PAUSE_MS

local list, pause
local turn = 0

function init(args)
  list = {}
  for target in args[1]:gmatch('%S+') do
    list[#list + 1] = 'GET ' .. target .. ' HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'
  end
  pause = tonumber(args[2])
  if pause > 0 then
    -- wrk asks for a delay before each request only if there is such a function.
    delay = function() return pause end
  end
end

function request()
  turn = turn % #list + 1
  return list[turn]
end
