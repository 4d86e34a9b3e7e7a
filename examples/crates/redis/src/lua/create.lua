-- KEYS[1] a session; ARGV expires_at, grace, keep_until, then fields and values.
-- Creates the session unless there is one. Returns the subject of the one that
-- is there, or false.
local subject = redis.call('HGET', KEYS[1], 'subject')
if subject then
  return subject
end
local now = tonumber(redis.call('TIME')[1])
local drop_at = math.max(tonumber(ARGV[1]), now) + tonumber(ARGV[2])
redis.call('HSET', KEYS[1], 'keep_until', ARGV[3], unpack(ARGV, 4))
redis.call('EXPIREAT', KEYS[1], math.min(drop_at, tonumber(ARGV[3])))
return false
