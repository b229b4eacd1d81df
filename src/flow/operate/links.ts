import { type Actor, type ActorLike, isDescribed, toActor } from '../../access/actor.ts'
import { READ_OR_EXECUTE } from '../../access/authorize.ts'
import { Permission } from '../../access/permission.ts'
import { type Entry, isExpired, madeFrom } from '../../core/entry.ts'
import { hasEqualMembers } from '../../core/equal.ts'
import { createRefId, type RefId } from '../../core/ref.ts'
import type { Engine } from '../engine.ts'
import { findFor } from '../read/find.ts'
import { scan } from './list.ts'

/** An entry that another one was made of, or that was made of it. */
export interface LinkedEntry {
  readonly refId: RefId
  readonly status: Entry['status']
  readonly toolName?: string
  /** `input`: its value went in. `guard`: who may not see the one may not see the other. */
  readonly how: 'input' | 'guard'
}

export interface EntryLinks {
  readonly uses: readonly LinkedEntry[]
  /** The oldest first. */
  readonly usedBy: readonly LinkedEntry[]
}

/** So many later entries are looked at for those that use one, and so many of these are told. */
const MAX_LOOKED_AT = 10_000
const MOST_TOLD = 200

/**
 * What an entry was made of, and what was made of it. To know of one is not to know of the other: an actor is told of what it had made
 * itself, and of what it gave as input itself. The host program is told of all.
 * @throws NotFound where the actor may not know of the entry
 */
export async function linksOf(engine: Engine, refId: RefId, like: ActorLike): Promise<EntryLinks> {
  const who = toActor(like)
  const entry = await findLinked(engine, refId, who)
  return { uses: await usesOf(engine, entry, who), usedBy: await usersOf(engine, entry, who) }
}

/** @throws NotFound where the actor may not know of the entry */
export function findLinked(engine: Engine, refId: RefId, who: Actor): Promise<Entry> {
  const want = { action: 'status', permission: READ_OR_EXECUTE, denial: '' } as const
  return findFor(engine, refId, who, { ...want, audit: 'denials-only' })
}

async function usesOf(engine: Engine, entry: Entry, who: Actor): Promise<LinkedEntry[]> {
  const used = await engine.store.peek(madeFrom(entry).slice(0, MOST_TOLD))
  return used
    .filter(one => isToldUsed(engine, one, entry, who))
    .map(one => linked(engine, one, howUsed(one, entry)))
}

async function usersOf(engine: Engine, entry: Entry, who: Actor): Promise<LinkedEntry[]> {
  const users: LinkedEntry[] = []
  for await (const user of usersSince(engine, entry)) {
    if (!madeFrom(user).includes(entry.refId) || !isToldUser(engine, user, who)) continue
    users.push(linked(engine, user, howUsed(entry, user)))
    if (users.length === MOST_TOLD) break
  }
  return users
}

/** Entries that were made of others, the oldest first: what was made of an entry is no older than it. */
export async function* usersSince(engine: Engine, { createdAt }: Entry): AsyncGenerator<Entry> {
  let lookedAt = 0
  const after = { createdAt, refId: createRefId(engine.name, size => new Uint8Array(size)) }
  for await (const { entry, wanted } of scan(engine, { after, oldestFirst: true })) {
    if (++lookedAt > MAX_LOOKED_AT) return
    if (wanted && madeFrom(entry).length > 0) yield entry
  }
}

/** Whether an actor that knows of the user is told of what it used: where it made the one or the other. */
export function isToldUsed(engine: Engine, used: Entry, user: Entry, who: Actor): boolean {
  return isTold(engine, used, who) && (isMadeBy(user, who) || isMadeBy(used, who))
}

/** Whether an actor that knows of what was used is told of the user. */
export function isToldUser(engine: Engine, user: Entry, who: Actor): boolean {
  return isMadeBy(user, who) && isTold(engine, user, who)
}

function isMadeBy({ startedBy }: Entry, who: Actor): boolean {
  return who.type === 'system' || isDescribed(startedBy, who)
}

function isTold(engine: Engine, entry: Entry, who: Actor): boolean {
  return !isExpired(entry, engine.clock.expiryNow()) && engine.access.may(entry, who, READ_OR_EXECUTE)
}

/** Whether one of the limits on who may see the user is that of what it used. */
export function howUsed(used: Entry, user: Entry): LinkedEntry['how'] {
  const isGuard = user.derivedFrom?.some(
    ({ namespace, policy, needs }) =>
      needs !== Permission.NONE && namespace === used.namespace && hasEqualMembers(policy, used.policy),
  )
  return isGuard ? 'guard' : 'input'
}

export function linked(
  engine: Engine,
  { refId, status, toolName }: Entry,
  how: LinkedEntry['how'],
): LinkedEntry {
  return { refId, status, ...(toolName === undefined ? {} : { toolName: engine.toolLabel(toolName) }), how }
}
