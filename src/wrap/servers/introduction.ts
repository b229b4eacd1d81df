import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { CORE_REVISION } from '../client/capabilities.ts'
import { SERVER_INFO, STATELESS_REVISION } from '../stateless/revision-2025.ts'

/** What is known of one server when a client asks who there is. */
export interface Introduced {
  readonly name: string
  /** What its tools' names begin with. */
  readonly begin: string
  /** Its own introduction; nothing where it has never answered. */
  readonly introduction: JsonObject | undefined
  /** Why it cannot be used now. */
  readonly away: string | undefined
}

/** Revisions whose clients can be served by servers of any of them. */
const REVISIONS = ['2024-11-05', '2025-03-26', '2025-06-18', CORE_REVISION]

const SERVER = { name: 'mcp-refcache', version: '1' }

/** What all servers together say in a handshake of 2025. */
export function toInitializeResult(params: JsonObject, servers: readonly Introduced[]): JsonObject {
  const asked = String(params.protocolVersion)
  return {
    protocolVersion: REVISIONS.includes(asked) ? asked : CORE_REVISION,
    capabilities: capabilitiesOf(servers),
    serverInfo: SERVER,
    instructions: instructionsOf(servers),
  }
}

/** The same at 2026-07-28. */
export function toDiscoverResult(servers: readonly Introduced[]): JsonObject {
  return {
    resultType: 'complete',
    supportedVersions: [STATELESS_REVISION],
    capabilities: capabilitiesOf(servers),
    instructions: instructionsOf(servers),
    ttlMs: 0,
    cacheScope: 'private',
    _meta: { [SERVER_INFO]: SERVER },
  }
}

/** A server that nobody has heard of yet may turn out to have any of them. */
const UNKNOWN: JsonObject = { prompts: {}, resources: { subscribe: true }, logging: {}, completions: {} }

/** All that some server can do. Lists may change, because servers come and go. */
function capabilitiesOf(servers: readonly Introduced[]): JsonObject {
  const all = servers.map(({ introduction }) => (introduction ? introduction.capabilities : UNKNOWN))
  const merged = all.reduce<JsonObject>((sum, one) => united(sum, isJsonObject(one) ? one : {}), {
    tools: {},
  })
  for (const kind of ['tools', 'prompts', 'resources']) {
    const ability = merged[kind]
    if (isJsonObject(ability)) merged[kind] = { ...ability, listChanged: true }
  }
  return merged
}

function united(one: JsonObject, other: JsonObject): JsonObject {
  const sum: JsonObject = { ...one }
  for (const [name, value] of Object.entries(other)) {
    const known = sum[name]
    sum[name] =
      isJsonObject(known) && isJsonObject(value) ? united(known, value) : known || (value as JsonValue)
  }
  return sum
}

/** Clients cut instructions: those of one server must not take the room of all others. */
const MAX_CHARACTERS = 3_000

function instructionsOf(servers: readonly Introduced[]): string {
  const names = servers.map(({ name, begin }) => (begin === '' ? name : `${begin}* (${name})`)).join(', ')
  const away = servers.flatMap(({ name, away }) =>
    away === undefined ? [] : [`${name}: ${away.replace(/\.$/, '')}`],
  )
  const share = Math.floor(MAX_CHARACTERS / Math.max(1, servers.length))
  const own = servers.flatMap(({ name, introduction }) => {
    const text = introduction?.instructions
    return typeof text === 'string' && text.trim() !== '' ? [`${name}: ${within(text.trim(), share)}`] : []
  })
  return [
    `Tools of several servers, told apart by how their names begin: ${names}.`,
    ...(away.length > 0 ? [`Away now: ${away.join('; ')}.`] : []),
    ...own,
  ].join('\n\n')
}

function within(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length).replace(/\s+\S*$/, '')} …`
}
