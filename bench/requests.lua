-- Load for wrk: requests that bench/signed-requests.ts signed beforehand, in turn. Arguments: the Lua file that it
-- wrote, and the file with the body ("-" for none). Prints one line of JSON at the end.

local requests = {}
local position = 0

function init(args)
  local list = dofile(args[1])
  local body = nil
  if args[2] ~= "-" then
    local file = assert(io.open(args[2], "rb"))
    body = file:read("*a")
    file:close()
  end
  for index, request in ipairs(list) do
    requests[index] = wrk.format(request.method, request.path, request.headers, body)
  end
end

function request()
  position = position % #requests + 1
  return requests[position]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nresult {"requests":%d,"microseconds":%d,"p50Microseconds":%d,"p99Microseconds":%d,"badAnswers":%d,"brokenConnections":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
