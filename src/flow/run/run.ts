import { LazyAbort, pause, untilAborted } from '../../core/abort.ts'
import { decode } from '../../core/codec.ts'
import type { InFlightEntry, Lease, PendingEntry } from '../../core/entry.ts'
import { TaskCancelled, WorkerLost } from '../../core/errors.ts'
import { isSuspect } from '../../core/losses.ts'
import { cacheNameOf, type RefId } from '../../core/ref.ts'
import { timeUntil } from '../../core/retry-policy.ts'
import type { Tool } from '../../core/tool.ts'
import type { TakeWork } from '../../execution/dispatcher.ts'
import { channels, inThisContext } from '../../telemetry/channels.ts'
import type { TaskMessage } from '../../telemetry/messages.ts'
import type { GivenInput } from '../call/draft.ts'
import { anyInFlight, waitUntilSettled } from '../call/references.ts'
import type { Engine } from '../engine.ts'
import { attempt, type Hold } from './attempt.ts'
import { LossWatch, newLease } from './lease.ts'
import { QueueSlot, type Ticket } from './queue.ts'
import type { RunningTask } from './running.ts'

/**
 * Starts the work of an entry whose lease this process holds. The only place where work starts.
 * @param given its input, where this process has it
 */
export function start(
  engine: Engine,
  tool: Tool,
  entry: InFlightEntry,
  ticket?: Ticket,
  given?: GivenInput,
): void {
  const work = { refId: entry.refId, toolName: tool.name }
  // A question of a value is answered where it is asked: its limits are counted there.
  const taker = tool.takesReferences ? 'here' : engine.dispatcher.dispatch(work)
  if (taker === 'here') {
    void runHere(engine, tool, entry, ticket, given)
    return
  }
  // Until somebody takes it, it is this process's to announce again.
  engine.heartbeat.begin()
  // Whoever takes it gives it a place there.
  ticket?.leave()
}

/** Takes work that was announced, in this process or another one. */
export async function take(engine: Engine, refId: RefId): ReturnType<TakeWork> {
  if (cacheNameOf(refId) !== engine.name) return 'foreign'
  for (;;) {
    const entry = await engine.store.get(refId)
    if (entry?.status !== 'pending') return 'not_pending'
    if (engine.closing.aborted) return 'closing'
    const tool = engine.tools.get(entry.toolName ?? '')
    if (!tool) return 'unknown_tool'
    const { version: seen, lease } = entry
    const now = engine.clock.now()
    const event = { type: 'take', seen, lease: newLease(engine), together: false, now } as const
    const taken = await engine.entries.change(entry, event)
    if (!taken.refused && taken.entry.status === 'pending') {
      await runHere(engine, tool, taken.entry)
      return (await waitsAgain(engine, refId)) ? 'closing' : 'ended'
    }
    const { entry: changed } = taken
    // Something else about it changed, so it still waits; or another process took it.
    if (changed?.status !== 'pending' || changed.lease.owner !== lease.owner) return 'not_pending'
  }
}

/** Whether a task that was taken was let go before it began, because this process ends. */
async function waitsAgain(engine: Engine, refId: RefId): Promise<boolean> {
  if (!engine.closing.aborted) return false
  const entry = await engine.store.get(refId).catch(() => undefined)
  return entry?.status === 'pending'
}

/** Brings a task here from the process where it follows work of this one, so that the work can go on for it. */
export async function takeFollower(engine: Engine, refId: RefId, follows: RefId): Promise<void> {
  const now = engine.clock.now()
  const event = { type: 'take-follower', follows, lease: newLease(engine), now } as const
  const { entry, refused } = await engine.entries.change(refId, event)
  const tool = engine.tools.get(entry?.toolName ?? '')
  if (!refused && tool && entry?.status === 'pending') void runHere(engine, tool, entry)
}

function runHere(
  engine: Engine,
  tool: Tool,
  entry: InFlightEntry,
  ticket?: Ticket,
  given?: GivenInput,
): Promise<void> {
  const task = new TaskRun(engine, tool, entry, ticket, given)
  task.begin(entry, given)
  return task.done
}

/**
 * A task whose lease this process holds, attempt by attempt, to its settlement. One that waits for its turn is this object and its place
 * in the queue, and nothing else: there may be very many.
 */
class TaskRun implements Hold, RunningTask {
  readonly refId: RefId
  readonly namespace: string
  readonly lease: Lease
  readonly slot: QueueSlot
  readonly local: Hold['local']
  round = 0
  asking = 0
  write: (() => Promise<void>) | undefined
  #abort: LazyAbort | undefined
  readonly #losses: LossWatch
  #waitsForTurn = false
  #hasEnded = false
  #done: Promise<void> | undefined
  #onDone: (() => void) | undefined

  constructor(
    readonly engine: Engine,
    readonly tool: Tool,
    { refId, namespace, lease, losses }: InFlightEntry,
    ticket: Ticket | undefined,
    given: GivenInput | undefined,
  ) {
    this.refId = refId
    this.namespace = namespace
    this.lease = lease
    const alone = isSuspect(losses)
      ? new QueueSlot(undefined, engine.suspects, { name: 'suspects' })
      : undefined
    this.slot = new QueueSlot(ticket, engine.queue, tool, alone)
    this.local = given?.local && localFrom(given.local, ticket?.mayRun ?? false)
    this.#losses = new LossWatch(engine, refId, lease.owner, this)
  }

  /** Aborts when the task is cancelled, deleted, lost to another process, or this one closes. */
  get signal(): AbortSignal {
    this.#abort ??= new LazyAbort()
    return this.#abort.signal
  }

  get done(): Promise<void> {
    this.#done ??= this.#hasEnded
      ? Promise.resolve()
      : new Promise(resolve => {
          this.#onDone = resolve
        })
    return this.#done
  }

  begin(claimed: InFlightEntry, given: GivenInput | undefined): void {
    const { engine, refId } = this
    engine.running.add(this)
    this.#tell('begun')
    engine.heartbeat.begin()
    this.#losses.begin(claimed)
    if (claimed.status === 'processing') void this.#run(() => attempt(this, claimed, given))
    else if (waitsForMoreThanItsTurn(claimed) || engine.running.handlerOf(refId)) {
      void this.#run(() => runFirst(this, claimed))
    } else this.#waitForTurn()
  }

  /** What the callback can see stays in memory until then, so it is this object alone. */
  #waitForTurn(): void {
    this.#waitsForTurn = true
    const begin = () => {
      this.#waitsForTurn = false
      void this.#run(() => startAttempt(this))
    }
    // Its turn comes where another task ends: whoever listens is to hear what follows as of this one.
    this.slot.whenTurn(channels.task.hasSubscribers ? inThisContext(begin) : begin)
  }

  #tell(state: TaskMessage['state']): void {
    if (!channels.task.hasSubscribers) return
    const { engine, tool, refId } = this
    channels.task.publish({ cache: engine.name, tool: engine.toolLabel(tool.name), refId, state })
  }

  stop(reason: unknown): void {
    this.#abort ??= new LazyAbort()
    this.#abort.abort(reason)
    if (!this.#waitsForTurn) return
    this.#waitsForTurn = false
    void this.#run(() => Promise.reject(reason))
  }

  check(): Promise<void> {
    return this.#losses.check()
  }

  /** Never rejects. @param first the first attempt, which says when the next one is due */
  async #run(first: () => Promise<number | undefined>): Promise<void> {
    try {
      let dueAt = await first()
      while (dueAt !== undefined) dueAt = await runWhenDue(this, dueAt)
    } catch (cause) {
      await releaseUnstarted(this, cause)
    } finally {
      this.slot.leave()
      this.#losses.end()
      this.engine.running.remove(this)
      this.#tell('ended')
      this.#hasEnded = true
      this.#onDone?.()
    }
  }
}

/** For other tasks, for its time, or for being the only one of its kind. */
function waitsForMoreThanItsTurn({ uses = [], retryAt, follows, losses }: PendingEntry): boolean {
  return uses.length > 0 || retryAt !== undefined || follows !== undefined || isSuspect(losses)
}

/** For an attempt that may begin at once it is asked for now: a call that takes the handle alone is soon over. */
function localFrom(ask: () => unknown, beginsNow: boolean): () => unknown {
  // What it throws is the error of the attempt.
  let first = beginsNow ? new Promise(resolve => resolve(ask())) : undefined
  first?.catch(() => {})
  return () => {
    const local = first ?? ask()
    first = undefined
    return local
  }
}

/** The first attempt of work that did not begin with its claim. */
async function runFirst(
  hold: Hold,
  { uses = [], retryAt, follows }: PendingEntry,
): Promise<number | undefined> {
  const { engine, slot, signal } = hold
  if (follows !== undefined) {
    slot.needsPlace = false
    return startAttempt(hold)
  }
  if (uses.length > 0 && (await anyInFlight(engine, uses))) {
    // Whoever waits for others must not stand in their way.
    slot.stepAside()
    await waitUntilSettled(engine, uses, signal)
  }
  return runWhenDue(hold, retryAt)
}

async function runWhenDue(hold: Hold, dueAt: number | undefined): Promise<number | undefined> {
  await untilDue(hold, dueAt)
  await hold.slot.acquire(hold.signal)
  return startAttempt(hold)
}

/** Waits, without a place in the queue, until the attempt is due and the handler no longer runs for an earlier one. */
async function untilDue({ engine, refId, slot, signal }: Hold, dueAt: number | undefined): Promise<void> {
  if (dueAt !== undefined) {
    slot.leave()
    await pause(engine.clock, timeUntil(dueAt, engine.clock.now()), signal)
  }
  const earlier = engine.running.handlerOf(refId)
  if (!earlier) return
  slot.leave()
  await untilAborted(signal, () => earlier)
}

async function startAttempt(hold: Hold): Promise<number | undefined> {
  const { engine, refId, lease, signal } = hold
  // Before the start: a store that fails now leaves a task that has not begun, which may begin anywhere.
  const bytes = await engine.store.read(refId, 'input')
  const input = bytes && (await decode(bytes))
  signal.throwIfAborted()
  const now = engine.clock.now()
  const { entry, refused } = await engine.entries.change(refId, { type: 'start', owner: lease.owner, now })
  // Refused: cancelled, or taken over by another process, before it began.
  if (refused || entry?.status !== 'processing') return undefined
  return attempt(hold, entry, input === undefined ? undefined : { json: input })
}

/** The task ends here without a settlement: it was stopped while it waited, or the store failed before it began. */
async function releaseUnstarted({ engine, refId, lease }: Hold, cause: unknown): Promise<void> {
  // Whatever it was, whoever waits hears of it now.
  if (!(cause instanceof WorkerLost || cause instanceof TaskCancelled)) engine.errors.abandon(refId, cause)
  if (!(cause instanceof WorkerLost)) return
  // It had not begun: any process may begin it, and at once. Where the store is away, the lease runs out instead.
  const now = engine.clock.now()
  await engine.entries.change(refId, { type: 'release', owner: lease.owner, now }).catch(() => {})
}
