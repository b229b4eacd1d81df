import { LazyAbort, pause, untilAborted } from '../../core/abort.ts'
import { decode } from '../../core/codec.ts'
import { Deferred } from '../../core/deferred.ts'
import type { InFlightEntry, Lease, PendingEntry, ProcessingEntry } from '../../core/entry.ts'
import { TaskCancelled, WorkerLost } from '../../core/errors.ts'
import { isSuspect } from '../../core/losses.ts'
import type { RefId } from '../../core/ref.ts'
import { timeUntil } from '../../core/retry-policy.ts'
import type { Tool } from '../../core/tool.ts'
import { channels, inThisContext } from '../../telemetry/channels.ts'
import type { TaskMessage } from '../../telemetry/messages.ts'
import type { GivenInput } from '../call/draft.ts'
import { anyInFlight, waitUntilSettled } from '../call/references.ts'
import type { Engine } from '../engine.ts'
import { Attempt, type Hold } from './attempt.ts'
import { LossWatch } from './lease.ts'
import { QueueSlot, type Ticket } from './queue.ts'
import type { RunningTask } from './running.ts'
import type { Outcome } from './settle.ts'

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
    runHere(engine, tool, entry, ticket, given)
    return
  }
  // Until somebody takes it, it is this process's to announce again.
  engine.heartbeat.begin()
  // Whoever takes it gives it a place there.
  ticket?.leave()
}

/** The same, for work that nobody else is to take. */
export function runHere(
  engine: Engine,
  tool: Tool,
  entry: InFlightEntry,
  ticket?: Ticket,
  given?: GivenInput,
): RunningTask {
  const task = new TaskRun(engine, tool, entry, ticket, given)
  task.begin(entry, given)
  return task
}

function run(step: () => void): void {
  step()
}

/** What comes after a step of a task: an attempt that has begun, the next one when it is due, or nothing, at its end. */
type Next = Attempt | number | undefined

/**
 * A task whose lease this process holds, attempt by attempt, to its settlement. There may be very many, and most of them wait: for their
 * turn, or for their handler. One that waits is this object, with its place in the queue or its attempt, and no function or promise.
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
  #state: 'waits for its turn' | 'moves' | Attempt | 'ended' = 'moves'
  #abort: LazyAbort | undefined
  readonly #losses: LossWatch
  /** What moves a task on is often another one's end: whoever listens is to hear what follows as of this task. */
  readonly #asThisTask = channels.task.hasSubscribers ? inThisContext(run) : run
  #done: Deferred | undefined

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

  /** Aborts when the task is to stop. */
  get signal(): AbortSignal {
    this.#abort ??= new LazyAbort()
    return this.#abort.signal
  }

  get stopReason(): unknown {
    return this.#abort?.reason
  }

  get done(): Promise<void> {
    if (this.#state === 'ended') return Promise.resolve()
    this.#done ??= new Deferred()
    return this.#done.promise
  }

  begin(claimed: InFlightEntry, given: GivenInput | undefined): void {
    const { engine, refId } = this
    engine.running.add(this)
    this.#tell('begun')
    engine.heartbeat.begin()
    this.#losses.begin(claimed)
    if (claimed.status === 'processing') this.beginAttempt(claimed, given)
    else if (waitsForMoreThanItsTurn(claimed) || engine.running.handlerOf(refId)) {
      this.#move(() => runFirst(this, claimed))
    } else this.#waitForTurn()
  }

  #waitForTurn(): void {
    this.#state = 'waits for its turn'
    this.slot.whenTurn(this)
  }

  onTurn(): void {
    this.#move(() => startAttempt(this))
  }

  beginAttempt(entry: ProcessingEntry, input: GivenInput | undefined): Attempt {
    const attempt = new Attempt(this, entry)
    this.#state = attempt
    attempt.begin(input)
    return attempt
  }

  #tell(state: TaskMessage['state']): void {
    if (!channels.task.hasSubscribers) return
    const { engine, tool, refId } = this
    channels.task.publish({ cache: engine.name, tool: engine.toolLabel(tool.name), refId, state })
  }

  attemptEnded(attempt: Attempt, outcome: Outcome): void {
    this.#move(() => attempt.settle(outcome))
  }

  stop(reason: unknown): void {
    const state = this.#state
    this.#abort ??= new LazyAbort()
    this.#abort.abort(reason)
    if (state instanceof Attempt) state.stop(reason)
    if (state === 'waits for its turn') this.#move(() => Promise.reject(reason))
  }

  check(): Promise<void> {
    return this.#losses.check()
  }

  /** Goes on until the task waits for its handler, or has come to its end. */
  #move(step: () => Promise<Next>): void {
    this.#state = 'moves'
    this.#asThisTask(() => void this.#goOn(step))
  }

  /** Never rejects. */
  async #goOn(step: () => Promise<Next>): Promise<void> {
    try {
      let next = await step()
      while (typeof next === 'number') next = await runWhenDue(this, next)
      // The end of its handler moves it on.
      if (next) return
    } catch (cause) {
      await releaseUnstarted(this, cause)
    }
    this.#end()
  }

  #end(): void {
    this.#state = 'ended'
    this.slot.leave()
    this.#losses.end()
    this.engine.running.remove(this)
    this.#tell('ended')
    this.#done?.resolve()
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
async function runFirst(task: TaskRun, { uses = [], retryAt, follows }: PendingEntry): Promise<Next> {
  const { engine, slot } = task
  if (follows !== undefined) {
    slot.needsPlace = false
    return startAttempt(task)
  }
  if (uses.length > 0 && (await anyInFlight(engine, uses))) {
    // Whoever waits for others must not stand in their way.
    slot.stepAside()
    await waitUntilSettled(engine, uses, task.signal)
  }
  return runWhenDue(task, retryAt)
}

async function runWhenDue(task: TaskRun, dueAt: number | undefined): Promise<Next> {
  await untilDue(task, dueAt)
  await task.slot.acquire(task.signal)
  return startAttempt(task)
}

/** Waits, without a place in the queue, until the attempt is due and the handler no longer runs for an earlier one. */
async function untilDue(task: TaskRun, dueAt: number | undefined): Promise<void> {
  const { engine, refId, slot } = task
  if (dueAt !== undefined) {
    slot.leave()
    await pause(engine.clock, timeUntil(dueAt, engine.clock.now()), task.signal)
  }
  const earlier = engine.running.handlerOf(refId)
  if (!earlier) return
  slot.leave()
  await untilAborted(task.signal, () => earlier)
}

async function startAttempt(task: TaskRun): Promise<Attempt | undefined> {
  const { engine, refId, lease } = task
  // Before the start: a store that fails now leaves a task that has not begun, which may begin anywhere.
  const bytes = await engine.store.read(refId, 'input')
  const input = bytes && (await decode(bytes))
  if (task.stopReason !== undefined) throw task.stopReason
  const now = engine.clock.now()
  const { entry, refused } = await engine.entries.change(refId, { type: 'start', owner: lease.owner, now })
  // Refused: cancelled, or taken over by another process, before it began.
  if (refused || entry?.status !== 'processing') return undefined
  return task.beginAttempt(entry, input === undefined ? undefined : { json: input })
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
