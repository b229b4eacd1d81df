import { createHash } from 'node:crypto'
import { OLDER_FORMATS, STORE_FORMAT } from './format.ts'
import { NO_OWNER } from './redis-arguments.ts'
import { KEPT_CHANGES } from './store.ts'

/**
 * The store's contract in Lua: each script is one atomic step on the server.
 *
 * All keys of a cache begin with the same base, which has the cache's name as its hash tag, so that a cluster
 * keeps them on one node. A script is given the base as its only key and makes the others from it:
 *
 *   <base>:entry:<id>   hash: record (JSON) and the fields scripts decide by, and the parts input, value and index
 *   <base>:value:<id>:<value id>   hash: the segments of a large value, by position
 *   <base>:key:<key>    the id of the entry that holds the key
 *   <base>:index        sorted set of all ids by createdAt
 *   <base>:tasks        sorted set of the ids in flight by createdAt
 *   <base>:owned        sorted set of the ids in flight by the process that has them: the process, a separator, the id
 *   <base>:running      the same, of those that have begun
 *   <base>:alive:<process>   the last sign of life of a process
 *   <base>:expiry       sorted set of all ids by expiresAt, +inf where there is none
 *   <base>:format       the format of all these; there as long as there are entries
 *   <base>:changes      stream of the latest changes
 *   <base>:savings      sorted set of the hours in which something was saved
 *   <base>:savings:<hour>   hash: what was saved and what it cost in that hour
 *   <base>:beat         whether the server takes writes: written by each sweep
 */
export interface Script {
  readonly text: string
  readonly sha1: string
}

/**
 * How long after its expiry Redis itself removes an entry that nobody pruned. The cache decides by its own clock
 * what has expired; this margin keeps a server whose clock is ahead from taking entries that are still wanted.
 */
export const GRACE_MS = 3_600_000

/** For Lua to look for `,format,` in. */
const READ_FORMATS = `,${OLDER_FORMATS.join()},`
/** In `ARGV` of the scripts that write an entry. */
const FIRST_PART = 16

/** Between a process and an id. Names of processes hold no control characters. */
export const SEPARATOR = '\\1'
export const AFTER_SEPARATOR = '\\2'

const SHARED = `
local base, channel = KEYS[1], ARGV[1]
local function entryKey(id) return base .. ':entry:' .. id end
local function valueKey(id, value) return base .. ':value:' .. id .. ':' .. value end
local function holderKey(key) return base .. ':key:' .. key end
local formatKey = base .. ':format'
local changesKey = base .. ':changes'
local indexes = { base .. ':index', base .. ':tasks', base .. ':expiry' }
local owned, running = base .. ':owned', base .. ':running'
local savings = base .. ':savings'
local function savingsKey(hour) return savings .. ':' .. hour end
local function aliveKey(process) return base .. ':alive:' .. process end

-- Caches of 0.1 have no mark.
local marked = redis.call('GET', formatKey)
local format = marked or (redis.call('EXISTS', indexes[1]) == 1 and '1')
if format and format ~= '${STORE_FORMAT}' and not string.find('${READ_FORMATS}', ',' .. format .. ',', 1, true) then return redis.error_reply('FORMAT ' .. format) end

local function publish(id, version) redis.call('PUBLISH', channel .. id, version) end

-- A server that is full takes no note. Without its history, readers of changes begin anew.
local function note(id, what)
  local noted = redis.pcall('XADD', changesKey, 'MAXLEN', '~', ${KEPT_CHANGES}, '*', 'id', id, 'what', what)
  if type(noted) == 'table' and noted.err then redis.call('DEL', changesKey) end
end

local now
local function serverNow()
  if not now then
    local time = redis.call('TIME')
    now = time[1] * 1000 + math.floor(time[2] / 1000)
  end
  return now
end

local function expire(key, expiresAt)
  if expiresAt == '' or expiresAt == 'inf' then
    redis.call('PERSIST', key)
  else
    local at = math.max(math.ceil(tonumber(expiresAt)), serverNow()) + ${GRACE_MS}
    redis.call('PEXPIREAT', key, string.format('%.0f', at))
  end
end

local function expireIndexes()
  local last = redis.call('ZRANGE', base .. ':expiry', -1, -1, 'WITHSCORES')[2]
  if last then
    for _, index in ipairs(indexes) do expire(index, last) end
    expire(formatKey, last)
    expire(changesKey, last)
  end
end

local function disown(id, owner)
  if not owner or owner == '${NO_OWNER}' then return end
  local member = owner .. '${SEPARATOR}' .. id
  redis.call('ZREM', owned, member)
  redis.call('ZREM', running, member)
end

local function own(id, owner, status)
  if owner == '${NO_OWNER}' then return end
  local member = owner .. '${SEPARATOR}' .. id
  redis.call('ZADD', owned, 0, member)
  if status == 'processing' then redis.call('ZADD', running, 0, member) end
end

local function unindex(id, owner)
  for _, index in ipairs(indexes) do redis.call('ZREM', index, id) end
  disown(id, owner)
  if redis.call('EXISTS', indexes[1]) == 0 then
    redis.call('DEL', formatKey)
    redis.call('PEXPIRE', changesKey, ${GRACE_MS})
  end
end

-- The id of the live entry that holds the key. Eviction can take an entry and leave its holder.
local function holderOf(key)
  if key == '' then return false end
  local id = redis.call('GET', holderKey(key))
  if id and redis.call('EXISTS', entryKey(id)) == 1 then return id end
  return false
end

-- The record of the live entry that holds the key, unless that has expired by now.
local function unexpiredHolder(key, now)
  local holder = holderOf(key)
  if not holder then return false end
  local found = redis.call('HMGET', entryKey(holder), 'record', 'expiresAt')
  if found[2] == '' or tonumber(found[2]) > tonumber(now) then return found[1] end
  return false
end

local function release(id, key)
  if key and key ~= '' and redis.call('GET', holderKey(key)) == id then redis.call('DEL', holderKey(key)) end
end

local function dropValue(id, value)
  if value and value ~= '' then redis.call('UNLINK', valueKey(id, value)) end
end

local function remove(id)
  local stored = redis.call('HMGET', entryKey(id), 'key', 'valueId', 'owner')
  release(id, stored[1])
  dropValue(id, stored[2])
  unindex(id, stored[3])
  local removed = redis.call('UNLINK', entryKey(id))
  if removed == 1 then
    note(id, 'deleted')
    publish(id, 'gone')
  end
  return removed
end

-- Removes an entry, and puts its record into the list; nothing where Redis has removed it by itself.
local function take(id, records)
  local record = redis.call('HGET', entryKey(id), 'record')
  if remove(id) == 1 then records[#records + 1] = record end
end

-- How many ids of the index lie before a place; a place without a time is the beginning. With 'upTo', also the id at the place counts.
local function countBefore(index, at, id, upTo)
  if at == '' then return 0 end
  local low = redis.call('ZCOUNT', index, '-inf', '(' .. at)
  local high = redis.call('ZCOUNT', index, '-inf', at)
  while low < high do
    local middle = math.floor((low + high) / 2)
    local there = redis.call('ZRANGE', index, middle, middle)[1]
    if there < id or (upTo and there == id) then low = middle + 1 else high = middle end
  end
  return low
end

-- Up to so many ids beyond a place, in order of creation.
local function idsAfter(index, at, id, count)
  local from = countBefore(index, at, id, true)
  return redis.call('ZRANGE', index, from, from + count - 1)
end

-- The same, backwards.
local function idsBefore(index, at, id, count)
  local to = at == '' and redis.call('ZCARD', index) or countBefore(index, at, id)
  local ids = {}
  if to == 0 then return ids end
  local found = redis.call('ZRANGE', index, math.max(0, to - count), to - 1)
  for i = #found, 1, -1 do ids[#ids + 1] = found[i] end
  return ids
end

-- The place to go on after, where that was not the end.
local function placeOf(index, id)
  return id and { redis.call('ZSCORE', index, id), id }
end

-- Tasks of an older format have no owner yet. What is damaged has none either, and nobody can run it.
local function convert()
  for _, task in ipairs(redis.call('ZRANGE', base .. ':tasks', 0, -1)) do
    local found, entry = pcall(function() return cjson.decode(redis.call('HGET', entryKey(task), 'record')) end)
    if found and type(entry.lease) == 'table' then
      local process = entry.lease.duration == 0 and '' or string.gsub(entry.lease.owner, '/[^/]*$', '')
      redis.call('HSET', entryKey(task), 'owner', process)
      own(task, process, entry.status)
    end
  end
  redis.call('SET', formatKey, '${STORE_FORMAT}')
end

local function inFlight(status) return status == 'pending' or status == 'processing' end
`

/** The entry's fields are at fixed places; then come the parts to change: name, 'set' or 'remove', bytes. */
const PUT = `
local id, record, version, key, namespace, status, expiresAt, valueId, segments =
  ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9], tonumber(ARGV[10])
local createdAt, toolName, valueBytes, owner = ARGV[11], ARGV[12], ARGV[13], ARGV[14]

local isOlder = marked ~= '${STORE_FORMAT}'
local changesIndex = false
for i = ${FIRST_PART}, #ARGV, 3 do
  if ARGV[i] == 'index' then changesIndex = true end
end
if changesIndex and valueId ~= '' and redis.call('HLEN', valueKey(id, valueId)) < segments then
  return redis.error_reply('SEGMENTS are missing')
end

local function write()
  -- Removed first: a server that is full refuses to write, but gets room by that for the next try.
  if #ARGV == ${FIRST_PART + 2} and ARGV[${FIRST_PART + 1}] == 'remove' then redis.call('HDEL', entryKey(id), ARGV[${FIRST_PART}]) end
  if changesIndex then
    local before = redis.call('HGET', entryKey(id), 'valueId')
    if before ~= valueId then dropValue(id, before) end
    redis.call('HSET', entryKey(id), 'valueId', valueId)
  end
  if isOlder then convert() end
  redis.call('HSET', entryKey(id), 'record', record, 'version', version, 'key', key,
    'namespace', namespace, 'status', status, 'expiresAt', expiresAt, 'toolName', toolName, 'valueBytes', valueBytes,
    'owner', owner)
  for i = ${FIRST_PART}, #ARGV, 3 do
    if ARGV[i + 1] == 'set' then
      redis.call('HSET', entryKey(id), ARGV[i], ARGV[i + 2])
    else
      redis.call('HDEL', entryKey(id), ARGV[i])
    end
  end
end

local function place()
  redis.call('ZADD', base .. ':index', createdAt, id)
  redis.call('ZADD', base .. ':expiry', expiresAt == '' and '+inf' or expiresAt, id)
  if inFlight(status) then redis.call('ZADD', base .. ':tasks', createdAt, id)
  else redis.call('ZREM', base .. ':tasks', id) end
  own(id, owner, status)
  expire(entryKey(id), expiresAt)
  local value = redis.call('HGET', entryKey(id), 'valueId')
  if value and value ~= '' then expire(valueKey(id, value), expiresAt) end
  if key ~= '' then
    redis.call('SET', holderKey(key), id)
    expire(holderKey(key), expiresAt)
  end
  expireIndexes()
end
`

/** A script that writes an entry: its fields and parts are in `ARGV`. */
export function writing(body: string): Script {
  return script(PUT + body)
}

export function script(body: string): Script {
  const text = SHARED + body
  return { text, sha1: createHash('sha1').update(text).digest('hex') }
}
