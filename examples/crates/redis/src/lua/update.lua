-- KEYS[1] a session; ARGV noted, grace, expected version, at, renewed_at,
-- expires_at, then fields and values.
-- The guard of SessionStore::update. Returns 0 if it does not hold, 1 if it
-- does, and 2 and the nonce if the update has to be noted first, since it brings
-- expires_at forward. Seconds are exact in Lua's numbers, which are exact up to
-- 2^53; versions are compared as text.
local held = redis.call('HMGET', KEYS[1],
  'version', 'renewed_at', 'expires_at', 'absolute_expires_at', 'keep_until', 'nonce')
if held[1] ~= ARGV[3] then
  return {'0'}
end
local at, renewed_at, expires_at = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local cap = tonumber(held[4])
if at >= cap or renewed_at < tonumber(held[2]) or expires_at < renewed_at or expires_at > cap then
  return {'0'}
end
if ARGV[1] == '0' and expires_at < tonumber(held[3]) then
  return {'2', held[6]}
end
local now = tonumber(redis.call('TIME')[1])
local drop_at = math.max(expires_at, now) + tonumber(ARGV[2])
redis.call('HSET', KEYS[1], unpack(ARGV, 7))
redis.call('EXPIREAT', KEYS[1], math.min(drop_at, tonumber(held[5])))
return {'1'}
