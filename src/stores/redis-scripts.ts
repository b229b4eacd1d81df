import { script, writing } from './redis-lua.ts'
import { STAGED_FOR_MS } from './store.ts'

/**
 * ARGV[11] is now. Answers 0 and the live holder's record, -1 for a refId that is taken, or 1 and whether this is
 * the first entry of its cache.
 */
export const CLAIM = writing(`
local holder = unexpiredHolder(key, ARGV[11])
if holder then return { 0, holder } end
if redis.call('EXISTS', entryKey(id)) == 1 then return { -1 } end
local first = redis.call('EXISTS', base .. ':index') == 0
write()
place()
publish(id, version)
return { 1, first and 1 or 0 }
`)

/** ARGV: channel, key, now. */
export const FIND = script(`return unexpiredHolder(ARGV[2], ARGV[3])`)

/** ARGV[11] is the expected version. Progress and renewals of leases move nothing, so they only write. */
export const UPDATE = writing(`
local stored = redis.call('HMGET', entryKey(id), 'version', 'key', 'expiresAt', 'status')
if stored[1] ~= ARGV[11] then return 0 end
local holder = holderOf(key)
if holder and holder ~= id then return 0 end
local stays = stored[2] == key and (key == '' or holder == id)
  and stored[3] == expiresAt and inFlight(stored[4]) == inFlight(status) and not changesIndex and not isOlder
if not stays and stored[2] ~= key then release(id, stored[2]) end
write()
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

/** ARGV: channel, id. */
export const DELETE = script(`return remove(ARGV[2])`)

/**
 * ARGV: channel, name of the index, id to go on after, namespace or '', statuses or '', most to find, most to
 * look at. Answers the records found, and the id to go on after unless this was the end. Drops the ids of entries
 * that Redis removed.
 */
export const LIST = script(`
local index, after, namespace, statuses, limit = ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local first = after == '' and '-' or '(' .. after
local ids = redis.call('ZRANGEBYLEX', base .. ':' .. index, first, '+', 'LIMIT', 0, ARGV[7])
local found = {}
for _, id in ipairs(ids) do
  local entry = redis.call('HMGET', entryKey(id), 'record', 'namespace', 'status')
  if not entry[1] then
    unindex(id)
  elseif (namespace == '' or entry[2] == namespace)
    and (statuses == '' or string.find(statuses, ',' .. entry[3] .. ',', 1, true)) then
    found[#found + 1] = entry[1]
    if #found == limit then return { found, id } end
  end
end
return { found, #ids == tonumber(ARGV[7]) and ids[#ids] }
`)

/**
 * ARGV: channel, id to go on after, namespace or '', most to look at. Answers the records of the entries that went, and the id
 * to go on after unless this was the end.
 */
export const CLEAR = script(`
local after, namespace, limit = ARGV[2], ARGV[3], tonumber(ARGV[4])
local first = after == '' and '-' or '(' .. after
local ids = redis.call('ZRANGEBYLEX', base .. ':index', first, '+', 'LIMIT', 0, limit)
local records = {}
for _, id in ipairs(ids) do
  if namespace == '' or redis.call('HGET', entryKey(id), 'namespace') == namespace then take(id, records) end
end
return { records, #ids == limit and ids[#ids] }
`)

/**
 * ARGV: channel, now, most to look at. Answers the records of the entries that went, and how many ids were looked at: Redis may
 * have removed an entry and left its id.
 */
export const PRUNE = script(`
local ids = redis.call('ZRANGEBYSCORE', base .. ':expiry', '-inf', ARGV[2], 'LIMIT', 0, ARGV[3])
local records = {}
for _, id in ipairs(ids) do take(id, records) end
return { records, #ids }
`)
