-- KEYS[1] a session; ARGV nonce, before.
-- Removes the session of this nonce if it has expired. Returns its expires_at, and,
-- if it was removed, its subject, profile and absolute_expires_at; nothing if there
-- is none or if nobody can read when it ends.
local held = redis.call('HMGET', KEYS[1],
  'nonce', 'expires_at', 'subject', 'profile', 'absolute_expires_at')
local expires_at = tonumber(held[2])
if held[1] ~= ARGV[1] or not expires_at then
  return {}
end
if expires_at > tonumber(ARGV[2]) then
  return {held[2]}
end
redis.call('DEL', KEYS[1])
return {held[2], held[3] or '', held[4] or '', held[5] or ''}
