-- ways.lua -- wrk's requests for the ways in beside POST /event: one body, again and again.
--
--   wrk -s ways.lua URL -- REQUEST_FILE
--
-- The file has the whole request.  Without event_ids each time it is sent is another event.

local text

function init(args)
  local file = io.open(args[1], 'rb')
  text = file:read('*a')
  file:close()
end

function request()
  return text
end
