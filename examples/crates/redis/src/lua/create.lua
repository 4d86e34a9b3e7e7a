-- KEYS[1] a session; ARGV nonce, expires_at, grace, keep_until, then fields and
-- values.
-- Creates the session unless there is one. Returns 1 if it is this one, 0 if it is
-- another.
local held = redis.call('HGET', KEYS[1], 'nonce')
if held or redis.call('EXISTS', KEYS[1]) == 1 then
  return held == ARGV[1] and 1 or 0
end
local now = tonumber(redis.call('TIME')[1])
local drop_at = math.max(tonumber(ARGV[2]), now) + tonumber(ARGV[3])
redis.call('HSET', KEYS[1], 'nonce', ARGV[1], 'keep_until', ARGV[4], unpack(ARGV, 5))
redis.call('EXPIREAT', KEYS[1], math.min(drop_at, tonumber(ARGV[4])))
return 1
