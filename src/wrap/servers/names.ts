import { createHash } from 'node:crypto'

/** How the tools of several servers are called. */
export interface Naming {
  /** Between the server's name and the tool's. @defaultValue '_' */
  readonly separator: string
  /** What clients put in front of a name; the limit holds for both. @defaultValue 'mcp__refcache__' */
  readonly prefix: string
}

export const DEFAULT_NAMING: Naming = { separator: '_', prefix: 'mcp__refcache__' }

/** Clients refuse a tool with a longer name. */
const MAX_NAME = 64
/** Longer names of servers leave too little for those of their tools. */
const MAX_KEY = 24
const HASH_LENGTH = 6

/** What a server is called in the names of its tools: its own name, as far as names of tools may have it. */
export function keysOf(names: readonly string[]): string[] {
  const taken = new Set<string>()
  return names.map(name => unused(cut(clean(name), MAX_KEY).replace(/^_+/, '') || 'server', taken))
}

function unused(wanted: string, taken: Set<string>): string {
  let free = wanted
  for (let number = 2; taken.has(free); number++) free = `${wanted}_${number}`
  taken.add(free)
  return free
}

/** A tool or a prompt of one server. */
export interface Named {
  /** The server's key. */
  readonly key: string
  /** What its server calls it. */
  readonly name: string
  /** What it is to be called instead. */
  readonly wanted?: string | undefined
}

/**
 * Names for all, in the order in which they come: `key_name`, of the characters that every client takes. Where two would be called the
 * same, the one that had to be changed least keeps the name, and the other one gets a digest of its own; so does a name that is too long,
 * and one that could be taken for one of another server. So a name depends on the servers that there are, and never on which runs.
 */
export function nameAll<Item extends Named>(
  items: readonly Item[],
  keys: readonly string[],
  naming: Naming = DEFAULT_NAMING,
): Map<string, Item> {
  const named = new Map<string, Item>()
  const wishes = items.map(item => wishOf(item, keys, naming))
  const order = [...wishes].sort((one, other) => Number(one.isChanged) - Number(other.isChanged))
  const chosen = new Map<Item, string>()
  const taken = new Set<string>()
  for (const { item, name, isUnfit } of order) {
    const own = isUnfit || taken.has(name) ? withDigest(item, name, naming, taken) : name
    taken.add(own)
    chosen.set(item, own)
  }
  for (const item of items) named.set(chosen.get(item) as string, item)
  return named
}

interface Wish<Item> {
  readonly item: Item
  readonly name: string
  /** It has characters in the place of others. */
  readonly isChanged: boolean
  /** It is too long, or looks like one of another server. */
  readonly isUnfit: boolean
}

function wishOf<Item extends Named>(item: Item, keys: readonly string[], naming: Naming): Wish<Item> {
  const begin = beginOf(item.key, naming)
  const written = begin + (item.wanted ?? item.name)
  const name = clean(written)
  const isOfAnother = keys.some(
    key => beginOf(key, naming).length > begin.length && name.startsWith(beginOf(key, naming)),
  )
  return { item, name, isChanged: name !== written, isUnfit: isOfAnother || name.length > roomIn(naming) }
}

/** What the names of a server's tools begin with. One without a key has its tools called as they are. */
export function beginOf(key: string, { separator }: Naming): string {
  return key === '' ? '' : key + separator
}

function roomIn({ prefix }: Naming): number {
  return MAX_NAME - prefix.length
}

function withDigest(
  { key, name }: Named,
  wanted: string,
  naming: Naming,
  taken: ReadonlySet<string>,
): string {
  const digest = createHash('sha256').update(`${key}\0${name}`).digest('hex')
  for (let length = HASH_LENGTH; ; length++) {
    const own = `${cut(wanted, roomIn(naming) - length - 1)}_${digest.slice(0, length)}`
    if (!taken.has(own)) return own
  }
}

/** The characters that all clients take. */
function clean(text: string): string {
  return text.replace(/[^A-Za-z0-9_-]+/g, '_')
}

function cut(text: string, length: number): string {
  return text.slice(0, length).replace(/[_-]+$/, '')
}
