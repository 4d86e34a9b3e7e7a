-- KEYS[1] a session; ARGV its subject, or nothing for any.
-- Removes the session. Returns its subject, or false if there was none.
local subject = redis.call('HGET', KEYS[1], 'subject')
if not subject or (ARGV[1] and ARGV[1] ~= subject) then
  return false
end
redis.call('DEL', KEYS[1])
return subject
