-- get.lua -- wrk's requests: GET of one target, at a pace.
--
--   wrk -s get.lua URL -- TARGET PAUSE_MS

local bytes, pause

function init(args)
  bytes = 'GET ' .. args[1] .. ' HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'
  pause = tonumber(args[2])
  if pause > 0 then
    -- wrk asks for a delay before each request only if there is such a function.
    delay = function() return pause end
  end
end

function request()
  return bytes
end
