import { describedActor } from '../../access/actor.ts'
import { retryWhileAway } from '../../core/backoff.ts'
import { decode, type EncodedValue } from '../../core/codec.ts'
import {
  type Entry,
  type FailedEntry,
  hasValue,
  isExpired,
  isInFlight,
  type ProcessingEntry,
} from '../../core/entry.ts'
import { ProtocolFailure, TaskFailed } from '../../core/errors.ts'
import { parseJson } from '../../core/json-text.ts'
import type { RefId } from '../../core/ref.ts'
import type { Engine } from '../engine.ts'
import { inputRequestsFor } from '../read/status.ts'
import type { Asker } from './ask.ts'
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

/** What the other task ended with. `madeAt`: it had ended before it was followed. */
export type FollowedOutcome =
  | (EncodedValue & { readonly madeAt?: number })
  | { readonly error: Error; readonly isFinal: true }

/**
 * Waits for the end of the task that this one follows, and passes on its progress and its questions meanwhile.
 * @returns nothing where it was cancelled or is gone: then the work is this task's own
 */
export async function followOther(follower: Follower): Promise<FollowedOutcome | undefined> {
  const { engine, entry, signal } = follower
  const mirror = new Mirror(follower)
  try {
    const outcome = await retryWhileAway(
      () => outcomeOf(follower, mirror),
      engine.clock,
      signal,
      'background',
    )
    if (outcome) return outcome
  } finally {
    mirror.end()
  }
  const event = { type: 'stop-following', owner: entry.lease.owner } as const
  if ((await engine.entries.change(entry.refId, event)).refused) throw lost()
  return undefined
}

async function outcomeOf(
  { engine, follows, signal }: Follower,
  mirror: Mirror,
): Promise<FollowedOutcome | undefined> {
  const first = await engine.store.get(follows)
  const onChange = (latest: Entry) => mirror.show(latest)
  const options = { within: undefined, signals: [signal], onChange, kind: 'background' } as const
  const latest = first && (await engine.entries.follow(first, options))
  signal.throwIfAborted()
  if (!latest || latest.status === 'cancelled' || isExpired(latest, engine.clock.now())) return undefined
  await mirror.takeGuards(latest)
  if (latest.status === 'failed') return { error: await failureOf(engine, latest), isFinal: true }
  const bytes = await engine.store.read(latest.refId, 'value')
  if (latest.status !== 'complete' || bytes === undefined) return undefined
  const { valueBytes, completedAt, madeAt = completedAt } = latest
  return { bytes, valueBytes, ...(first === latest ? { madeAt } : {}) }
}

/** The failure of a task as an error with which another one can fail alike. */
async function failureOf(engine: Engine, entry: FailedEntry): Promise<Error> {
  const { code, message, rpc } = entry.error
  if (rpc) return new ProtocolFailure(message, rpc)
  const bytes = hasValue(entry) ? await engine.store.read(entry.refId, 'value') : undefined
  return new TaskFailed(message, { code, ...(bytes ? { value: parseJson(await decode(bytes)) } : {}) })
}

/** Shows in a follower what happens to the task that it follows. */
class Mirror {
  /** The other task's questions that are asked here too, by key; aborted when they are open there no more. */
  readonly #asked = new Map<string, AbortController>()
  #guarding: Promise<unknown> = Promise.resolve()
  #guards: number

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

  end(): void {
    for (const withdrawal of this.#asked.values()) withdrawal.abort()
  }

  #pass(latest: Entry): void {
    const { progress, engine, entry } = this.follower
    if (latest.status === 'processing' && latest.progress) progress.report(latest.progress)
    const open = inputRequestsFor(engine, latest, describedActor(entry.startedBy)) ?? {}
    for (const [key, withdrawal] of this.#asked) {
      if (!Object.hasOwn(open, key)) withdrawal.abort()
    }
    for (const [key, { method, params }] of Object.entries(open)) {
      if (this.#asked.has(key)) continue
      const withdrawal = new AbortController()
      this.#asked.set(key, withdrawal)
      void this.follower.asker
        .ask(method, params, withdrawal.signal)
        .then(answer => this.#answer(latest.refId, key, answer))
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
