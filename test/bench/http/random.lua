-- Asks for paths of a file at random, over and over, and tells in one line of JSON how it went.
local requests, headers = {}, {}
if os.getenv("BENCH_HEADER") then
  local name, value = os.getenv("BENCH_HEADER"):match("^([^:]+): (.*)$")
  headers[name] = value
end

function init()
  for path in io.lines(os.getenv("BENCH_PATHS")) do
    local own = {}
    for name, value in pairs(headers) do own[name] = value end
    local tag, rest = path:match("^(%S+) (%S+)$")
    if tag then own["If-None-Match"] = tag end
    requests[#requests + 1] = wrk.format("GET", rest or path, own)
  end
  math.randomseed(tonumber(os.getenv("BENCH_SEED")))
end

function request()
  return requests[math.random(#requests)]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"bytes":%d,"us":%d,"p50":%d,"p99":%d,"failed":%d}\n',
    summary.requests, summary.bytes, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
