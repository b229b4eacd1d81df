import { type Actor, isDescribed } from '../../access/actor.ts'
import { CLOCK_SLACK_MS } from '../../core/clock.ts'
import { type Entry, isInFlight, type SettledEntry } from '../../core/entry.ts'
import { QueueFull, UnreadableValue } from '../../core/errors.ts'
import { events } from '../../core/events.ts'
import type { RefId } from '../../core/ref.ts'
import type { Tool } from '../../core/tool.ts'
import { begun } from '../../core/transition.ts'
import type { Engine } from '../engine.ts'
import { sourcesOf } from '../read/values.ts'
import type { Ticket } from '../run/queue.ts'
import { start } from '../run/run.ts'
import type { Admitted, DraftedCall } from './draft.ts'
import { aloneOn, type Run } from './shared-runs.ts'

/** The entry that a call follows. */
export interface Claimed {
  readonly entry: Entry
  /** It is the call's own: the work is the call's to start. */
  readonly won: boolean
  /** In the queue, where the claim was won. */
  readonly place?: Ticket
  /** Which other calls of this process follow it. Absent for most of what is memoized: any process may follow that. */
  readonly run?: Run
}

/** Somebody else may store another such entry in between; so often is damage, not chance. */
const MAX_TRIES = 5

/**
 * Claims the computation, or finds the one that answers the call.
 *
 * @param fresh the call is to run anew, whatever is stored or in flight; identical calls then follow this one
 * @throws QueueFull when its work would have to wait and too many wait already; UnreadableValue when one finished entry
 *   after the other cannot be read
 */
export function claim(
  engine: Engine,
  tool: Tool,
  drafted: DraftedCall,
  { fresh = false, admitted }: { fresh?: boolean | undefined; admitted?: Admitted | undefined },
): Promise<Claimed> {
  if (admitted) return claimAdmitted(engine, drafted, admitted)
  if (drafted.key === undefined) return claimUnkeyed(engine, tool, drafted, fresh)
  return fresh ? claimAnew(engine, tool, drafted) : claimKeyed(engine, tool, drafted, drafted.key)
}

/** Its work is under way: it follows no other run. */
async function claimAdmitted(
  engine: Engine,
  drafted: DraftedCall,
  { run, ticket }: Admitted,
): Promise<Claimed> {
  return { run, ...(await claimWith(engine, drafted, ticket)) }
}

/** A finished entry that cannot answer the call is no hit: it loses its key, so that the call runs and its result takes that place. */
async function claimKeyed(engine: Engine, tool: Tool, drafted: DraftedCall, key: string): Promise<Claimed> {
  for (let tries = 1; ; tries++) {
    const claimed = (await hitAgain(engine, key)) ?? (await claimOnce(engine, tool, drafted))
    if (claimed.won || isInFlight(claimed.entry)) return claimed
    const unreadable = comesFromAhead(engine, claimed.entry) ?? (await whyUnreadable(engine, claimed.entry))
    if (!unreadable) {
      engine.recentHits.add(key)
      return claimed
    }
    if (tries === MAX_TRIES) throw unreadable
    warnUnused(engine, tool, unreadable)
    await releaseKey(engine, claimed.entry)
  }
}

/** A key that gave a hit lately most likely gives one again: to look costs less than to claim. */
async function hitAgain(
  { recentHits, store, name, clock }: Engine,
  key: string,
): Promise<Claimed | undefined> {
  if (!recentHits.has(key)) return undefined
  const entry = await store.findByKey(name, key, clock.now())
  if (entry) return { won: false, entry }
  recentHits.delete(key)
  return undefined
}

/** Takes the key from its holder until the claim is won: others may claim it in between. */
async function claimAnew(engine: Engine, tool: Tool, drafted: DraftedCall): Promise<Claimed> {
  for (;;) {
    const claimed = await claimWith(engine, drafted, admit(engine, tool, drafted))
    if (claimed.won) return claimed
    await releaseKey(engine, claimed.entry)
  }
}

/** Without a key only the calls of this process can follow the run. */
async function claimUnkeyed(
  engine: Engine,
  tool: Tool,
  drafted: DraftedCall,
  fresh: boolean,
): Promise<Claimed> {
  const { callKey } = drafted
  const { refId } = drafted.draft()
  if (callKey === undefined) {
    return { run: aloneOn(refId), ...(await claimOnce(engine, tool, drafted)) }
  }
  const { sharedRuns } = engine
  // Its run is one that this call may follow as soon as it has a name.
  engine.passing.needSame(tool.name, callKey)
  const { run, entry } = fresh
    ? { run: sharedRuns.begin(callKey, refId) }
    : await sharedRuns.joinOrBegin(callKey, refId, shared => readableEntry(engine, tool, shared))
  if (entry) return { entry, won: false, run }
  const claiming = claimOnce(engine, tool, drafted)
  run.stored = claiming.catch(() => {})
  return { run, ...(await claiming) }
}

/** Nothing is claimed without a ticket, so a refused call leaves nothing to join. */
async function claimOnce(engine: Engine, tool: Tool, drafted: DraftedCall): Promise<Claimed> {
  const { store, clock } = engine
  const { key, unsettled } = drafted
  const place = enter(engine, tool, unsettled)
  if (place) return claimWith(engine, drafted, place)
  const found = key === undefined ? undefined : await store.findByKey(engine.name, key, clock.now())
  if (found) return { won: false, entry: found }
  // Perhaps one is free by now: hits give theirs back at once.
  return claimWith(engine, drafted, admit(engine, tool, drafted))
}

async function claimWith(engine: Engine, drafted: DraftedCall, place: Ticket): Promise<Claimed> {
  const { encoded, encodeInput, isLate } = drafted
  const now = engine.clock.now()
  try {
    const draft = drafted.draft()
    const begins = beginsAtOnce(engine, drafted, place)
    if (begins && isLate)
      return { place, ...engine.lateClaims.hold(begun(draft, now), encodeInput, drafted.elapsed) }
    const entry = begins ? begun(draft, now) : draft
    const input = encoded ?? (await encodeInput())
    const claimed = await engine.store.claim(entry, now, { input })
    if (claimed.won) return { place, ...claimed }
    place.leave()
    return claimed
  } catch (error) {
    place.leave()
    throw error
  }
}

/** Work that somebody waits for, and that may run now, begins with its claim: that is one trip to the store less. */
function beginsAtOnce({ dispatcher }: Engine, { unsettled, isAwaited }: DraftedCall, place: Ticket): boolean {
  return isAwaited && !unsettled && place.mayRun && !dispatcher.shared
}

/** The age of such a result is unknown: another clock wrote it, or this one was set back. */
function comesFromAhead(engine: Engine, { completedAt }: SettledEntry): UnreadableValue | undefined {
  if (completedAt <= engine.clock.now() + CLOCK_SLACK_MS) return undefined
  return new UnreadableValue('by the clock of this process it lies in the future')
}

async function readableEntry(engine: Engine, tool: Tool, refId: RefId): Promise<Entry | undefined> {
  const entry = await engine.store.get(refId)
  const unreadable = entry?.status === 'complete' && (await whyUnreadable(engine, entry))
  if (!unreadable) return entry
  warnUnused(engine, tool, unreadable)
  return undefined
}

/** What is read here is kept for the answer. */
async function whyUnreadable(engine: Engine, entry: Entry): Promise<UnreadableValue | undefined> {
  try {
    await sourcesOf(engine, entry)
    return undefined
  } catch (error) {
    if (error instanceof UnreadableValue) return error
    throw error
  }
}

function warnUnused(engine: Engine, tool: Tool, { message }: UnreadableValue): void {
  engine.logger.warn(`A stored result of ${tool.name} is not used: ${message} It is made anew.`)
}

async function releaseKey(engine: Engine, entry: Entry): Promise<void> {
  await engine.entries.change(entry, { type: 'yield-key' })
}

/**
 * A native task is for its client alone: whoever joins its work follows it in an entry of its own. So does whoever joins what another actor
 * could take away.
 */
export async function withOwnEntryIfForeign(
  engine: Engine,
  tool: Tool,
  drafted: DraftedCall,
  claimed: Claimed,
  who: Actor,
): Promise<Claimed> {
  const { won, entry, run } = claimed
  if (won || !isInFlight(entry)) return withMemoizedRun(engine, tool, claimed)
  const isForeign = tool.endsWithCallers && !isDescribed(entry.startedBy, who)
  if (!entry.native && !isForeign) return withMemoizedRun(engine, tool, claimed)
  const own = await followInOwnEntry(engine, tool, drafted, entry, run)
  return { entry: own, won, run: aloneOn(own.refId) }
}

/** Whoever turns its call away ends the work where no other call of this process follows it. */
function withMemoizedRun({ sharedRuns }: Engine, { endsWithCallers }: Tool, claimed: Claimed): Claimed {
  const { entry, run } = claimed
  if (!endsWithCallers || run || !isInFlight(entry)) return claimed
  return { ...claimed, run: sharedRuns.joinMemoized(entry.refId) }
}

/**
 * An entry of a caller's own that ends as `followed` does, so that two native tasks are never one. The work still runs once, for as
 * long as one of them is not cancelled.
 */
export async function followInOwnEntry(
  engine: Engine,
  tool: Tool,
  { draft, encoded, encodeInput }: DraftedCall,
  { refId: follows }: Entry,
  run: Run | undefined,
): Promise<Entry> {
  // As durable as what follows it.
  await engine.lateClaims.storeNow(follows)
  // Identical calls find the work itself.
  const { key: _, tags: __, ...unkeyed } = draft()
  // Where the other process is lost, the work begins again with this input.
  const input = encoded ?? (await encodeInput())
  const claimed = await engine.store.claim({ ...unkeyed, follows }, engine.clock.now(), { input })
  // Where that has ended, or has too many, there is nothing to hand on.
  await engine.entries.change(follows, { type: 'gain-follower', refId: unkeyed.refId })
  if (run) engine.sharedRuns.share(run, unkeyed.refId)
  if (claimed.entry.status === 'pending') start(engine, tool, claimed.entry)
  return claimed.entry
}

/** Who wants a place in the queue: a call, or a retry of what has a reference already. */
interface Admission {
  readonly namespace: string
  readonly refId?: RefId | undefined
  /** The task has to wait for references in its input that are in flight. */
  readonly unsettled: boolean
}

/** A place for a task that is not admitted yet; nothing when too many tasks wait already. */
function enter(
  { queue }: Engine,
  { name, maxConcurrentTasks }: Tool,
  unsettled: boolean,
): Ticket | undefined {
  return unsettled ? queue.enterAside(name, maxConcurrentTasks) : queue.enter(name, maxConcurrentTasks)
}

/** The same. @throws QueueFull instead of giving nothing */
export function admit(engine: Engine, tool: Tool, { namespace, refId, unsettled }: Admission): Ticket {
  const place = enter(engine, tool, unsettled)
  if (place) return place
  const of = { namespace, ...(refId === undefined ? {} : { refId }) }
  const error = new QueueFull('Too many tasks are waiting already. Try again in a while.')
  engine.events.emit(events.refused({ toolName: tool.name, ...of }, error.code))
  throw error
}
