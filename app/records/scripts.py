"""The Lua of this room. A script is used only where MULTI cannot serve: to compare before it writes, and when Redis is full.

At maxmemory Redis refuses every command inside a MULTI, even DEL (`processCommand`, 6.2 and later); a script may still run those that free memory.
"""

from __future__ import annotations

# KEYS: index. ARGV: member, score, member, score, … Takes each member off whose score is still the one given.
SETTLE = """
for i = 1, #ARGV, 2 do
  local score = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if score and tonumber(score) == tonumber(ARGV[i + 1]) then redis.call('ZREM', KEYS[1], ARGV[i]) end
end
"""

# ARGV: JSON [[question, answer as text], …], JSON [command, …]. Runs the commands if every answer is still the same.
# A tombstone passes too once something was freed; where it does not, it is left out: pcall.
FREE = """
for _, check in ipairs(cjson.decode(ARGV[1])) do
  if tostring(redis.call(unpack(check[1]))) ~= check[2] then return 0 end
end
for _, command in ipairs(cjson.decode(ARGV[2])) do redis.pcall(unpack(command)) end
return 1
"""

# KEYS: mark, memory. ARGV: the token in the mark, what is kept, seconds.
NOTE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
return 1
"""

# KEYS: mark, memory. ARGV: the token in the mark, what is kept, seconds. Keeps, or forgets where there is nothing to keep, and ends the mark:
# that first, for behind a command that frees a full Redis takes the rest of a script, too.
END = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
if ARGV[2] == '' then redis.call('DEL', KEYS[2]) else redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3]) end
return 1
"""

# KEYS: lists. ARGV: score, member, count. Up to `count` of each list, newest first: those of a smaller score, or of the same and a smaller name.
# Those of one score are bisected. Redis sorts their names by bytes, while Lua compares by the server's locale, so bytes are compared here.
AFTER = """
local function smaller(one, other)
  for i = 1, math.min(#one, #other) do
    local a, b = string.byte(one, i), string.byte(other, i)
    if a ~= b then return a < b end
  end
  return #one < #other
end
local found = {}
for i, list in ipairs(KEYS) do
  local low = redis.call('ZCOUNT', list, '(' .. ARGV[1], '+inf')
  local high = low + redis.call('ZCOUNT', list, ARGV[1], ARGV[1])
  while low < high do
    local middle = math.floor((low + high) / 2)
    if smaller(redis.call('ZREVRANGE', list, middle, middle)[1], ARGV[2]) then high = middle else low = middle + 1 end
  end
  found[i] = redis.call('ZREVRANGE', list, low, low + ARGV[3] - 1, 'WITHSCORES')
end
return found
"""

# KEYS: a tenant's tally. ARGV: its limits of bytes and uploads (0: none), how many of each are added, JSON [command, …].
# Runs the commands and answers an empty list, unless one of the two grows beyond its limit: then which, and how many are in use.
CHARGE = """
local tally = redis.call('HMGET', KEYS[1], 'rest', 'flight', 'uploads')
local used = {math.max(0, tonumber(tally[1] or 0) + tonumber(tally[2] or 0)), math.max(0, tonumber(tally[3] or 0))}
for i, name in ipairs({'bytes', 'uploads'}) do
  local limit, more = tonumber(ARGV[i]), tonumber(ARGV[i + 2])
  if limit > 0 and more > 0 and used[i] + more > limit then return {name, string.format('%.0f', used[i])} end
end
for _, command in ipairs(cjson.decode(ARGV[5])) do redis.call(unpack(command)) end
return {}
"""

# KEYS: tally. ARGV: the turn that was found, rest, flight, uploads.
RECOUNTED = """
if (redis.call('HGET', KEYS[1], 'turn') or '0') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'rest', ARGV[2], 'flight', ARGV[3], 'uploads', ARGV[4])
return 1
"""

# KEYS: lock. ARGV: the token that was found, the new one, milliseconds.
TAKE_OVER = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""

# KEYS: lock. ARGV: token, milliseconds.
RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

# KEYS: lock. ARGV: token.
RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""
