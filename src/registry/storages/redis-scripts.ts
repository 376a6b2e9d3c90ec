/**
 * What runs inside the server, one script at a time and hence atomically. Keys: `owner` (who may write, see redis-greeting.ts), `format` (see
 * format-version.ts), `index` (a sorted set of all keys at score 0, hence in byte order) and one string per entry. Invariant: whoever has an
 * entry has it in the index; the other way round an index member may outlive its entry, which the server freed, until a scan or a removal passes by.
 *
 * Writes that do not show the owner's token change nothing: what a lost connection left in a stopped server's buffers cannot overtake what
 * came after it.
 */

/** What an operation of `WRITE` expects, beside a version; versions begin at 1. */
export const EXPECT = { absent: 0, anything: -1, remove: -2 } as const;

/**
 * KEYS owner, index, entry…; ARGV token, now (ms), length of what precedes the caller's key in an entry's, one operation per entry:
 * `expected f64 ‖ lifetime (ms) f64 ‖ entry`. Answers per operation: 1 done; 0 nothing to remove; nil or the entry there, when it is not
 * what was expected; [error].
 */
const WRITE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('FENCED another node has claimed this prefix') end
local now, lead = tonumber(ARGV[2]), tonumber(ARGV[3])
local function write(key, operation)
  local expected, lifetime = struct.unpack('>dd', operation)
  local head = redis.pcall('GETRANGE', key, 0, 15)
  if type(head) == 'table' then return { head.err } end
  local version = ${EXPECT.absent}
  if #head == 16 then
    local held, expiresAt = struct.unpack('>dd', head)
    if expiresAt > now then version = held end
  elseif head ~= '' then
    return { 'DAMAGED not an entry' }
  end
  if expected == ${EXPECT.remove} then
    redis.call('DEL', key)
    redis.call('ZREM', KEYS[2], key:sub(lead + 1))
    return version ~= ${EXPECT.absent} and 1 or 0
  end
  if expected ~= ${EXPECT.anything} and expected ~= version then
    return version ~= ${EXPECT.absent} and redis.call('GET', key)
  end
  local reply
  if head == '' then
    reply = redis.pcall('ZADD', KEYS[2], 0, key:sub(lead + 1))
    if type(reply) == 'table' and reply.err then return { reply.err } end
  end
  reply = redis.pcall('SET', key, operation:sub(17), 'PX', string.format('%.0f', lifetime))
  if reply.err then return { reply.err } end
  return 1
end
local outcomes = {}
for n = 3, #KEYS do outcomes[n - 2] = write(KEYS[n], ARGV[n + 1]) end
return outcomes`;

/** KEYS entry…. Answers per key: nil, the entry, or [error]: MGET alone takes a key of another type for an absent one. */
const READ = `
local values = redis.call('MGET', unpack(KEYS))
for n, value in ipairs(values) do
  if not value and redis.call('TYPE', KEYS[n]).ok ~= 'none' then values[n] = { 'WRONGTYPE not a string' } end
end
return values`;

/**
 * KEYS owner, index; ARGV token, now (ms), what precedes the caller's key, lowest and highest member (ZRANGEBYLEX), entries wanted, members to
 * look at, bytes after which to stop. Answers: whether there may be more (1 or 0), last member looked at, then key and entry by turns.
 * Frees what has expired on its way.
 */
const SCAN = `
local now, wanted, most = tonumber(ARGV[2]), tonumber(ARGV[6]), tonumber(ARGV[8])
local members = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[4], ARGV[5], 'LIMIT', 0, ARGV[7])
local page, gone, bytes, last = { 0, false }, {}, 0, 0
for n, member in ipairs(members) do
  local key = ARGV[3] .. member
  local value = redis.pcall('GET', key)
  if type(value) == 'table' then return redis.error_reply(value.err) end
  if value and #value < 16 then return redis.error_reply('DAMAGED not an entry') end
  last = n
  local _, expiresAt = struct.unpack('>dd', value or string.rep('\\0', 16))
  if expiresAt > now then
    page[#page + 1] = member
    page[#page + 1] = value
    bytes = bytes + #value
    if #page - 2 >= 2 * wanted or bytes >= most then break end
  else
    gone[#gone + 1] = member
  end
end
if #gone > 0 and redis.call('GET', KEYS[1]) == ARGV[1] then
  for _, member in ipairs(gone) do redis.call('DEL', ARGV[3] .. member) end
  redis.call('ZREM', KEYS[2], unpack(gone))
end
if last < #members or #members == tonumber(ARGV[7]) then page[1] = 1 end
page[2] = members[last] or false
return page`;

/** KEYS index; ARGV what precedes the caller's key, sample size. Answers: members, bytes of the index, sample size, bytes of the sample. */
const SIZE = `
local function cost(key)
  local bytes = redis.pcall('MEMORY', 'USAGE', key)
  if type(bytes) == 'number' then return bytes end
  return bytes and #key + redis.call('STRLEN', key) or 0
end
local sample, bytes = redis.call('ZRANDMEMBER', KEYS[1], ARGV[2]), 0
for _, member in ipairs(sample) do bytes = bytes + cost(ARGV[1] .. member) end
local index = redis.pcall('MEMORY', 'USAGE', KEYS[1])
return { redis.call('ZCARD', KEYS[1]), type(index) == 'number' and index or 0, #sample, bytes }`;

/**
 * KEYS owner, format; ARGV token expected (empty: none), token to write (empty: none), version of the format. Answers 1, 0 when another token was
 * there, or the version there when that is another one.
 */
const CLAIM = `
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
  return 1
end
local found = redis.call('GET', KEYS[2])
if found and found ~= ARGV[3] then return found end
if not found then redis.call('SET', KEYS[2], ARGV[3]) end
redis.call('SET', KEYS[1], ARGV[2])
return 1`;

/** Redis 7: as the first line of a script it may write although there is no memory left, so that a full server can be opened again. */
export const ALLOW_OOM = '#!lua flags=allow-oom\n';

export const REDIS_SCRIPTS = { write: WRITE, read: READ, scan: SCAN, size: SIZE, claim: CLAIM } as const;
export type RedisScript = keyof typeof REDIS_SCRIPTS;
