-- KEYS[1] a session; ARGV now.
-- Removes the session if it has expired. Returns 1 and its subject if so, 2 and
-- its expires_at if it lives on, 0 and nothing if there is none.
local held = redis.call('HMGET', KEYS[1], 'subject', 'expires_at')
if not held[1] then
  return {0, ''}
end
if tonumber(held[2]) > tonumber(ARGV[1]) then
  return {2, held[2]}
end
redis.call('DEL', KEYS[1])
return {1, held[1]}
