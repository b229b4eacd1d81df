import { describedActor } from '../../access/actor.ts'
import { onAbort, pause } from '../../core/abort.ts'
import { retryWhileAway } from '../../core/backoff.ts'
import type { EncodedValue } from '../../core/codec.ts'
import {
  type CancelledEntry,
  type Entry,
  type FailedEntry,
  isExpired,
  isInFlight,
  type ProcessingEntry,
  processOf,
} from '../../core/entry.ts'
import { hasValue } from '../../core/entry-value.ts'
import { NotFound, ProtocolFailure, TaskFailed, UnreadableValue } from '../../core/errors.ts'
import { type InputRequest, isSame, toInputRequest } from '../../core/question.ts'
import type { RefId } from '../../core/ref.ts'
import { transition } from '../../core/transition.ts'
import type { Engine } from '../engine.ts'
import { inputRequestsFor } from '../read/status.ts'
import { readEncoded, readWhole } from '../read/stored-value.ts'
import type { Asker } from './ask.ts'
import type { Execution } from './execution.ts'
import { lost } from './lease.ts'
import type { ProgressReporter } from './progress.ts'

/** What a task that follows another one passes on, and on which ways. */
export interface Follower {
  readonly engine: Engine
  readonly entry: ProcessingEntry
  readonly follows: RefId
  readonly progress: Pick<ProgressReporter, 'report'>
  readonly asker: Pick<Asker, 'ask'>
  readonly signal: AbortSignal
}

/** To take over the key: so often is it held by somebody else. */
const MAX_TRIES = 3

/** How the following ended: with the outcome of the other task, or with work that is this task's own from now on. */
export type Followed =
  | { readonly outcome: FollowedOutcome }
  /** `work`: what runs already; nothing where it has to begin. */
  | { readonly entry: ProcessingEntry; readonly work?: Inherited }

/** Work of a task that was cancelled, for the one that goes on with it. */
export interface Inherited {
  readonly from: RefId
  readonly execution: Execution
  /** For the questions that are open. */
  readonly askAgain: Asker['ask']
}

/** What the other task ended with. `madeAt`: it had ended before it was followed. */
type FollowedOutcome =
  | (EncodedValue & { readonly madeAt?: number })
  | { readonly error: Error; readonly isFinal: true }

/**
 * Waits for the end of the task that this one follows, and passes on its progress and its questions meanwhile. Where it is cancelled,
 * this task goes on with its work, or follows the one that does.
 */
export async function followOther(follower: Follower): Promise<Followed> {
  const { engine, signal } = follower
  const mirror = new Mirror(follower)
  let { follows } = follower
  try {
    for (;;) {
      const step = () => follow(follower, follows, mirror)
      const end = await retryWhileAway(step, engine.clock, signal, 'background')
      if ('outcome' in end) return end
      const next = await nextAfter(follower, end)
      if (!next) return { entry: await stopFollowing(follower) }
      if ('work' in next) return await inherit(follower, end.cancelled as CancelledEntry, next.work, mirror)
      await followInstead(follower, next.follow)
      follows = next.follow
    }
  } finally {
    mirror.end()
  }
}

/** What was followed has no outcome. */
interface WithoutOutcome {
  readonly cancelled?: CancelledEntry
}

async function follow(
  { engine, signal }: Follower,
  follows: RefId,
  mirror: Mirror,
): Promise<{ outcome: FollowedOutcome } | WithoutOutcome> {
  const first = await engine.store.get(follows)
  const onChange = (latest: Entry) => mirror.show(latest)
  const options = { within: undefined, signals: [signal], onChange, kind: 'background' } as const
  const latest = first && (await engine.entries.follow(first, options))
  signal.throwIfAborted()
  if (!latest || isExpired(latest, engine.clock.now())) return {}
  if (latest.status === 'cancelled') return { cancelled: latest }
  await mirror.takeGuards(latest)
  if (latest.status === 'failed') {
    return { outcome: { error: await failureOf(engine, latest), isFinal: true } }
  }
  if (latest.status !== 'complete') return {}
  const encoded = await unlessGone(readEncoded(engine, latest))
  const { completedAt, madeAt = completedAt } = latest
  return encoded ? { outcome: { ...encoded, ...(first === latest ? { madeAt } : {}) } } : {}
}

async function nextAfter({ engine, entry, signal }: Follower, { cancelled }: WithoutOutcome) {
  if (!cancelled) return undefined
  const { refId, followers = [], followedOwner: owner } = cancelled
  const next = await engine.handOvers.next(entry.refId, refId, signal)
  const ranHere = owner === undefined || processOf({ owner }) === engine.instance
  if (next || ranHere || !followers.includes(entry.refId)) return next
  // The process that runs it takes this task there, unless it is gone.
  await pause(engine.clock, engine.settings.leaseDuration, signal, 'background')
  return undefined
}

async function stopFollowing({ engine, entry }: Follower, startedAt?: number): Promise<ProcessingEntry> {
  const event = { type: 'stop-following', owner: entry.lease.owner, startedAt } as const
  const changed = await engine.entries.change(entry.refId, event)
  if (changed.refused || changed.entry.status !== 'processing') throw lost(changed.entry)
  return changed.entry
}

/** The other task's work is this one's from now on; identical calls find it by this one. */
async function inherit(
  follower: Follower,
  from: CancelledEntry,
  execution: Execution,
  mirror: Mirror,
): Promise<Followed> {
  const { engine, signal } = follower
  try {
    await mirror.takeGuards(from)
    const step = () => stopFollowing(follower, from.startedAt)
    const entry = await retryWhileAway(step, engine.clock, signal, 'background')
    engine.sharedRuns.handOver(from.refId, entry.refId)
    await inheritKey(engine, entry, from).catch(() => {})
    mirror.keepQuestions()
    return { entry, work: { from: from.refId, execution, askAgain: mirror.askAgain } }
  } catch (error) {
    execution.abort(error)
    throw error
  }
}

/** Where an identical call holds the key by now, it stays there. */
async function inheritKey(
  { store, entries }: Engine,
  { refId }: ProcessingEntry,
  { releasedKey: key, tags }: CancelledEntry,
): Promise<void> {
  if (key === undefined) return
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const entry = await entries.readAnew(refId)
    if (!entry) return
    const moved = transition(entry, { type: 'inherit-key', key, tags })
    // What changes an entry at the same moment is a progress report.
    if (!moved.ok || (await store.update(moved.entry, entry.version))) return
  }
}

async function followInstead({ engine, entry }: Follower, follows: RefId): Promise<void> {
  const { refId, lease } = entry
  const event = { type: 'follow-instead', owner: lease.owner, follows } as const
  const changed = await engine.entries.change(refId, event)
  if (changed.refused) throw lost(changed.entry)
  await engine.entries.change(follows, { type: 'gain-follower', refId })
}

/** The failure of a task as an error with which another one can fail alike. */
async function failureOf(engine: Engine, entry: FailedEntry): Promise<Error> {
  const { code, message, rpc } = entry.error
  if (rpc) return new ProtocolFailure(message, rpc)
  const value = hasValue(entry) ? await unlessGone(readWhole(engine, entry)) : undefined
  return new TaskFailed(message, { code, ...(value === undefined ? {} : { value }) })
}

/** What somebody deleted, or what is damaged, is no outcome to take over. */
async function unlessGone<T>(reading: Promise<T>): Promise<T | undefined> {
  return reading.catch(error => {
    if (error instanceof UnreadableValue || error instanceof NotFound) return undefined
    throw error
  })
}

interface MirroredQuestion {
  readonly request: InputRequest
  readonly answer: ReturnType<Asker['ask']>
  readonly withdrawal: AbortController
}

/** Shows in a follower what happens to the task that it follows. */
class Mirror {
  /** The other task's questions that are asked here too, by key; withdrawn when they are open there no more. */
  readonly #asked = new Map<string, MirroredQuestion>()
  #guarding: Promise<unknown> = Promise.resolve()
  #guards: number
  #isKept = false

  constructor(private readonly follower: Follower) {
    this.#guards = follower.entry.derivedFrom?.length ?? 0
  }

  show(latest: Entry): void {
    if (!isInFlight(latest)) return
    this.#guarding = this.takeGuards(latest).then(
      () => this.#pass(latest),
      () => {},
    )
  }

  /** What guards the value there guards it here, before a word of it is passed on. */
  async takeGuards({ derivedFrom = [] }: Entry): Promise<void> {
    await this.#guarding
    if (derivedFrom.length <= this.#guards) return
    this.#guards = derivedFrom.length
    const { engine, entry } = this.follower
    const event = { type: 'derive', owner: entry.lease.owner, derivedFrom } as const
    const { refused } = await engine.entries.change(entry.refId, event)
    if (refused) throw lost()
  }

  /** A question that was open when the work moved here: most likely it was asked here already. */
  askAgain: Asker['ask'] = (method, params, givenUp) => {
    const request = toInputRequest(method, params)
    const known = [...this.#asked.values()].findLast(question => isSame(question.request, request))
    if (!known) return this.follower.asker.ask(method, params, givenUp)
    if (givenUp) onAbort(givenUp, () => known.withdrawal.abort(givenUp.reason))
    return known.answer
  }

  /** The handler itself waits here for the answers from now on. */
  keepQuestions(): void {
    this.#isKept = true
  }

  end(): void {
    if (!this.#isKept) for (const { withdrawal } of this.#asked.values()) withdrawal.abort()
  }

  #pass(latest: Entry): void {
    const { progress, engine, entry } = this.follower
    if (latest.status === 'processing' && latest.progress) progress.report(latest.progress)
    const open = inputRequestsFor(engine, latest, describedActor(entry.startedBy)) ?? {}
    for (const [key, { withdrawal }] of this.#asked) {
      if (!Object.hasOwn(open, key)) withdrawal.abort()
    }
    for (const [key, { method, params }] of Object.entries(open)) {
      if (this.#asked.has(key)) continue
      const withdrawal = new AbortController()
      const answer = this.follower.asker.ask(method, params, withdrawal.signal)
      this.#asked.set(key, { request: { method, params }, answer, withdrawal })
      void answer
        .then(given => this.#answer(latest.refId, key, given))
        // It was answered there, or nobody here can be asked.
        .catch(() => {})
    }
  }

  async #answer(refId: RefId, key: string, answer: Awaited<ReturnType<Asker['ask']>>): Promise<void> {
    const { engine } = this.follower
    await engine.entries.change(refId, {
      type: 'answer',
      answers: { [key]: answer },
      now: engine.clock.now(),
    })
  }
}
