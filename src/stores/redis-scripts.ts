import { STORE_FORMAT } from './format.ts'
import { AFTER_SEPARATOR, SEPARATOR, script, writing } from './redis-lua.ts'
import { BEATS_KEPT_MS, KEPT_CHANGES, SAVINGS_KEPT_MS, STAGED_FOR_MS } from './store.ts'

/**
 * ARGV[15] is now. Answers 0 and the live holder's record, -1 for a refId that is taken, or 1 and whether this is
 * the first entry of its cache.
 */
export const CLAIM = writing(`
local holder = unexpiredHolder(key, ARGV[15])
if holder then return { 0, holder } end
if redis.call('EXISTS', entryKey(id)) == 1 then return { -1 } end
local first = redis.call('EXISTS', base .. ':index') == 0
write()
note(id, 'created')
place()
publish(id, version)
return { 1, first and 1 or 0 }
`)

/** ARGV: channel, key, now. */
export const FIND = script(`return unexpiredHolder(ARGV[2], ARGV[3])`)

/** ARGV[15] is the expected version. Progress moves nothing, so it only writes. */
export const UPDATE = writing(`
local stored = redis.call('HMGET', entryKey(id), 'version', 'key', 'expiresAt', 'status', 'owner')
if stored[1] ~= ARGV[15] then return 0 end
local holder = holderOf(key)
if holder and holder ~= id then return 0 end
local stays = stored[2] == key and (key == '' or holder == id)
  and stored[3] == expiresAt and stored[4] == status and stored[5] == owner and not changesIndex and not isOlder
if not stays then
  if stored[2] ~= key then release(id, stored[2]) end
  disown(id, stored[5])
end
write()
note(id, 'changed')
if not stays then place() end
publish(id, version)
return 1
`)

/** ARGV: channel, id, value id, position, bytes. Until an entry names it, it goes by itself; then with that entry. */
export const STAGE = script(`
local key = valueKey(ARGV[2], ARGV[3])
redis.call('HSET', key, ARGV[4], ARGV[5])
if redis.call('HGET', entryKey(ARGV[2]), 'valueId') ~= ARGV[3] then redis.call('PEXPIRE', key, ${STAGED_FOR_MS}) end
`)

/** ARGV: channel. Answers what time it is, and whether the server takes writes: one that is full does not. */
export const BEAT = script(`
local wrote = redis.pcall('SET', base .. ':beat', '1', 'PX', 60000)
local time = redis.call('TIME')
return { time[1], time[2], wrote.err and 0 or 1 }
`)

/** ARGV: channel, process. */
export const ALIVE = script(`
local time = redis.call('TIME')
redis.call('SET', aliveKey(ARGV[2]), time[1] .. string.format('%06d', time[2]), 'PX', ${BEATS_KEPT_MS})
`)

/**
 * ARGV: channel. Answers the processes that have tasks in flight, each with its last sign of life and how many of its tasks have begun.
 * It hops from one to the next, and never walks their tasks.
 */
export const OWNERS = script(`
if format and format ~= '${STORE_FORMAT}' then convert() end
local found, first = {}, '-'
while true do
  local member = redis.call('ZRANGEBYLEX', owned, first, '+', 'LIMIT', 0, 1)[1]
  if not member then return found end
  local process = string.match(member, '^(.-)${SEPARATOR}')
  local from, to = '[' .. process .. '${SEPARATOR}', '(' .. process .. '${AFTER_SEPARATOR}'
  found[#found + 1] = { process, redis.call('GET', aliveKey(process)), redis.call('ZLEXCOUNT', running, from, to) }
  first = '[' .. process .. '${AFTER_SEPARATOR}'
end
`)

/** ARGV: channel, process, id to go on after or '', most to find. Answers ids. Drops those of entries that Redis removed. */
export const TASKS_OF = script(`
local process, after = ARGV[2], ARGV[3]
local begin = process .. '${SEPARATOR}'
local members = redis.call('ZRANGEBYLEX', owned, (after == '' and '[' or '(') .. begin .. after,
  '(' .. process .. '${AFTER_SEPARATOR}', 'LIMIT', 0, ARGV[4])
local ids = {}
for _, member in ipairs(members) do
  local id = string.sub(member, #begin + 1)
  ids[#ids + 1] = id
  if redis.call('EXISTS', entryKey(id)) == 0 then unindex(id, process) end
end
return ids
`)

/** ARGV: channel, hour, and what to add to its counts: kept out, paged in, added. */
export const ADD_SAVINGS = script(`
local key = savingsKey(ARGV[2])
for at, name in ipairs({ 'keptOut', 'pagedIn', 'added' }) do redis.call('HINCRBY', key, name, ARGV[at + 2]) end
redis.call('ZADD', savings, ARGV[2], ARGV[2])
redis.call('PEXPIRE', key, ${SAVINGS_KEPT_MS})
redis.call('PEXPIRE', savings, ${SAVINGS_KEPT_MS})
`)

/** ARGV: channel, earliest hour. Answers each hour with its counts, in order. Leaves out those that Redis removed. */
export const SAVINGS = script(`
local found = {}
for _, hour in ipairs(redis.call('ZRANGEBYSCORE', savings, ARGV[2], '+inf')) do
  local counts = redis.call('HMGET', savingsKey(hour), 'keptOut', 'pagedIn', 'added')
  if counts[1] then found[#found + 1] = { hour, counts[1], counts[2], counts[3] } end
end
return found
`)

/** ARGV: channel, id. */
export const DELETE = script(`return remove(ARGV[2])`)

/**
 * ARGV: channel, name of the index, time and id of the place to go on after, '1' for the newest first, namespace or '', statuses or '',
 * most to find, most to look at. Answers the records found, and the place to go on after unless this was the end. Drops the ids of
 * entries that Redis removed.
 */
export const LIST = script(`
local index, at, after, namespace, statuses = base .. ':' .. ARGV[2], ARGV[3], ARGV[4], ARGV[6], ARGV[7]
local limit, most = tonumber(ARGV[8]), tonumber(ARGV[9])
local idsBeyond = ARGV[5] == '1' and idsBefore or idsAfter
local ids = idsBeyond(index, at, after, most)
local next = #ids == most and placeOf(index, ids[#ids])
local found = {}
for _, id in ipairs(ids) do
  local entry = redis.call('HMGET', entryKey(id), 'record', 'namespace', 'status')
  if not entry[1] then
    unindex(id)
  elseif (namespace == '' or entry[2] == namespace)
    and (statuses == '' or string.find(statuses, ',' .. entry[3] .. ',', 1, true)) then
    found[#found + 1] = entry[1]
    if #found == limit then return { found, placeOf(index, id) } end
  end
end
return { found, next }
`)

/** ARGV: channel, ids. Answers the records of those that are there. */
export const PEEK = script(`
local found = {}
for i = 2, #ARGV do
  local record = redis.call('HGET', entryKey(ARGV[i]), 'record')
  if record then found[#found + 1] = record end
end
return found
`)

/** ARGV: channel, cursor of the scan, pattern, most to look at. Answers the next cursor and ids. */
export const MATCH = script(`
local scanned = redis.call('ZSCAN', base .. ':index', ARGV[2], 'MATCH', ARGV[3], 'COUNT', ARGV[4])
local ids = {}
for i = 1, #scanned[2], 2 do ids[#ids + 1] = scanned[2][i] end
return { scanned[1], ids }
`)

/**
 * ARGV: channel, now, time and id of the place to go on after, most to look at. Answers status, namespace, tool, count and bytes of
 * each kind in turn, and the place to go on after unless this was the end.
 */
export const COUNT = script(`
local now, most, index = tonumber(ARGV[2]), tonumber(ARGV[5]), base .. ':index'
local ids = idsAfter(index, ARGV[3], ARGV[4], most)
local kinds, counts = {}, {}
for _, id in ipairs(ids) do
  local entry = redis.call('HMGET', entryKey(id), 'status', 'namespace', 'toolName', 'valueBytes', 'expiresAt')
  if entry[1] and (entry[5] == '' or tonumber(entry[5]) > now) then
    local tool = entry[3] or ''
    local kind = entry[1] .. ' ' .. entry[2] .. ' ' .. tool
    local counted = counts[kind]
    if not counted then
      counted = { entry[1], entry[2], tool, 0, 0 }
      counts[kind] = counted
      kinds[#kinds + 1] = counted
    end
    counted[4] = counted[4] + 1
    counted[5] = counted[5] + tonumber(entry[4] or 0)
  end
end
local answer = {}
for _, counted in ipairs(kinds) do
  for i = 1, 3 do answer[#answer + 1] = counted[i] end
  for i = 4, 5 do answer[#answer + 1] = string.format('%.0f', counted[i]) end
end
return { answer, #ids == most and placeOf(index, ids[#ids]) }
`)

/**
 * Entries of older versions have no time in the index, and no fields for a count. ARGV: channel, most to look at. Answers how many it
 * looked at.
 */
export const INDEX_OLDER = script(`
local ids = redis.call('ZRANGEBYSCORE', base .. ':index', 0, 0, 'LIMIT', 0, ARGV[2])
for _, id in ipairs(ids) do
  local record = redis.call('HGET', entryKey(id), 'record')
  local isRead, entry = pcall(cjson.decode, record or '')
  if not record then
    unindex(id)
  else
    if not isRead then entry = {} end
    local at = string.format('%.17g', tonumber(entry.createdAt) or 1)
    local bytes = entry.status == 'complete' and tonumber(entry.valueBytes) or 0
    redis.call('ZADD', base .. ':index', at, id)
    redis.call('ZADD', base .. ':tasks', 'XX', at, id)
    redis.call('HSET', entryKey(id), 'valueBytes', string.format('%.0f', bytes),
      'toolName', entry.toolName and cjson.encode(entry.toolName) or '')
  end
end
return #ids
`)

/**
 * ARGV: channel, id of the last change that is known or '', most to give. Answers whether that one is still there, the id to go on after,
 * and id and kind of each change in turn. The first id of all is 0-0.
 */
export const CHANGES = script(`
local cursor, limit = ARGV[2], tonumber(ARGV[3])
local last = redis.call('XREVRANGE', changesKey, '+', '-', 'COUNT', 1)[1]
local newest = last and last[1] or '0-0'
if cursor == '' then return { 1, newest, {} } end
local isFirst = cursor == '0-0'
local isKnown = #redis.call('XRANGE', changesKey, cursor, cursor) == 1
  or (isFirst and redis.call('XLEN', changesKey) < ${KEPT_CHANGES})
if not isKnown then return { 0, newest, {} } end
local found = redis.call('XRANGE', changesKey, isFirst and '-' or cursor, '+', 'COUNT', limit + 1)
local changes = {}
for i, change in ipairs(found) do
  if change[1] ~= cursor and #changes < 2 * limit then
    changes[#changes + 1] = change[2][2]
    changes[#changes + 1] = change[2][4]
    newest = change[1]
  end
end
return { 1, #changes > 0 and newest or cursor, changes }
`)

/**
 * ARGV: channel, time and id of the place to go on after, namespace or '', most to look at. Answers the records of the entries that
 * went, and the place to go on after unless this was the end.
 */
export const CLEAR = script(`
local namespace, most, index = ARGV[4], tonumber(ARGV[5]), base .. ':index'
local ids = idsAfter(index, ARGV[2], ARGV[3], most)
local next = #ids == most and placeOf(index, ids[#ids])
local records = {}
for _, id in ipairs(ids) do
  if namespace == '' or redis.call('HGET', entryKey(id), 'namespace') == namespace then take(id, records) end
end
return { records, next }
`)

/**
 * ARGV: channel, now, most to look at. Answers the records of the entries that went, and how many ids were looked at: Redis may
 * have removed an entry and left its id.
 */
export const PRUNE = script(`
local ids = redis.call('ZRANGEBYSCORE', base .. ':expiry', '-inf', ARGV[2], 'LIMIT', 0, ARGV[3])
local records = {}
for _, id in ipairs(ids) do take(id, records) end
local old = string.format('%.0f', ARGV[2] - ${SAVINGS_KEPT_MS})
for _, hour in ipairs(redis.call('ZRANGEBYSCORE', savings, '-inf', old)) do redis.call('DEL', savingsKey(hour)) end
redis.call('ZREMRANGEBYSCORE', savings, '-inf', old)
return { records, #ids }
`)
