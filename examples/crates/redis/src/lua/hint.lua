-- KEYS[1] a subject's index; ARGV note, absolute_expires_at, grace.
-- Notes that the subject has this session, before the session is there. Returns
-- the server's instant until which the engine may keep the session: a grace
-- before the note is dropped, so that no session outlives its note.
local now = tonumber(redis.call('TIME')[1])
local grace = tonumber(ARGV[3])
local keep_until = math.max(tonumber(ARGV[2]), now) + grace
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], 'GT', keep_until + grace, ARGV[1])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
redis.call('EXPIREAT', KEYS[1], last[2])
return keep_until
