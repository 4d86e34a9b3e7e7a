-- KEYS[1] a session; ARGV its subject, or nothing for any.
-- Removes the session. Returns its subject and nonce, or nothing if there was none.
local held = redis.call('HMGET', KEYS[1], 'subject', 'nonce')
if not held[1] or (ARGV[1] and ARGV[1] ~= held[1]) then
  return {}
end
redis.call('DEL', KEYS[1])
return {held[1], held[2] or ''}
