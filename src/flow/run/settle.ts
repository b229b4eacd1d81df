import { untilStored } from '../../core/backoff.ts'
import type { EncodedValue } from '../../core/codec.ts'
import {
  type Entry,
  expiry,
  isInFlight,
  isRepeatable,
  type ProcessingEntry,
  type Progress,
  type TaskError,
} from '../../core/entry.ts'
import type { EntryEvent } from '../../core/entry-event.ts'
import { MissingSegments, StoreFull, StoreUnavailable, TaskFailed, WorkerLost } from '../../core/errors.ts'
import { events } from '../../core/events.ts'
import { mayRunAgain } from '../../core/losses.ts'
import { createValueId, type RefId } from '../../core/ref.ts'
import { turn } from '../../core/steps.ts'
import { toTaskError } from '../../core/task-error.ts'
import type { Tool } from '../../core/tool.ts'
import type { PayloadChanges } from '../../stores/store.ts'
import { encodeValue } from '../../values/segments/encode.ts'
import { ttlFor } from '../call/draft.ts'
import type { Engine } from '../engine.ts'
import type { Change } from '../entries.ts'
import type { StoredValue } from '../stage.ts'
import { PART_IS_GONE, type StagedValue } from './append.ts'
import { isWorkerLost, mayTryAgain, retryTime } from './retries.ts'

/** How a handler ended: with its encoded value, or with an error. */
export type Outcome = Success | Failure

/** `madeAt`: when its value was made, where that was before this task. */
type Success = (EncodedValue | StagedValue) & { readonly madeAt?: number }

/** `isFinal`: another attempt would end alike. */
interface Failure {
  readonly error: unknown
  readonly isFinal?: boolean
}

/** An attempt whose handler has ended. */
export interface EndedAttempt {
  readonly entry: ProcessingEntry
  readonly tool: Tool
  /** By the monotonic clock. */
  readonly begunAt: number
  readonly progress: Progress | undefined
}

/**
 * Ends an attempt: settles the task, or puts it off for another try; then says when that is due. Whatever the
 * outcome, it is refused when the task was settled or taken over by now.
 */
export async function settleAttempt(
  engine: Engine,
  attempt: EndedAttempt,
  outcome: Outcome,
): Promise<number | 'refused' | undefined> {
  if ('error' in outcome) return settleFailure(engine, attempt, outcome)
  try {
    const { entry, progress, tool } = attempt
    const { madeAt } = outcome
    const value = toStore(engine, outcome)
    const done = (now: number): Ending => {
      return {
        type: 'complete',
        now,
        expiresAt: expiry(
          now,
          ttlFor(engine, entry.namespace, entry.keepFor === undefined ? tool.ttl : entry.keepFor),
        ),
        progress,
        ...value.fields,
        ...(madeAt === undefined ? {} : { madeAt }),
      }
    }
    const isHandedOn = !value.fields.segments && engine.errors.isAwaited(entry.refId)
    if (isHandedOn) engine.sources.putStored(entry, outcome.bytes)
    // A finished task is never run again: its input goes.
    const parts = { ...value.parts, input: undefined }
    const stored = await store(engine, attempt, done, { parts, value, until: 'full' })
    if (stored !== 'stored') engine.sources.drop(entry.refId)
    if (stored === 'full') await failFull(engine, attempt, toTaskError(new StoreFull(StoreFull.advice)))
    return stored === 'refused' ? stored : undefined
  } catch (error) {
    if (error instanceof StoreUnavailable) throw error
    return settleFailure(engine, attempt, { error })
  }
}

async function settleFailure(
  engine: Engine,
  attempt: EndedAttempt,
  { error, isFinal = false }: Failure,
): Promise<number | 'refused' | undefined> {
  const { entry, tool, progress } = attempt
  const { retries = 0, maxRetries } = entry
  const now = engine.clock.now()
  if (mayGoOnElsewhere(engine, entry, error)) {
    await store(engine, attempt, at => ({ type: 'release', now: at }))
    return undefined
  }
  const taskError = toTaskError(error)
  const lost = isWorkerLost(engine, tool, error) && entry.idempotent && mayRunAgain(entry.losses)
  if (lost || (!isFinal && retries < maxRetries && (await mayTryAgain(engine, tool, error)))) {
    const retryAt = retryTime(engine, tool, retries + 1, now)
    const postpone = () => ({ type: 'postpone', error: taskError, now, retryAt, lost }) as const
    const postponed = await store(engine, attempt, postpone, { until: 'full' })
    if (postponed === 'stored') {
      engine.events.emit(events.retrying(entry, retryAt))
      return retryAt
    }
    // Refused. If that is because it was taken for lost, it has failed with its own error all the same.
  }
  engine.errors.deliver(entry, error, expiry(now, engine.settings.taskRetention))
  const kept = await encodeFailure(engine, tool, error)
  const value = kept && toStore(engine, kept)
  const end = failure(engine, progress, taskError, value?.fields)
  const stored = await store(engine, attempt, end, { parts: value?.parts, value, until: 'full' })
  if (stored === 'full') await failFull(engine, attempt, taskError)
  return stored === 'refused' ? stored : undefined
}

function failure(
  engine: Engine,
  progress: Progress | undefined,
  error: TaskError,
  value?: StoredValue['fields'],
): (now: number) => Ending {
  const { taskRetention } = engine.settings
  return now => ({ type: 'fail', now, expiresAt: expiry(now, taskRetention), progress, error, ...value })
}

/** A value on its way into the store. */
interface ValueToStore extends StoredValue {
  /** Stages its segments; again, where an earlier try may have lost them. */
  stage(refId: RefId): Promise<void>
  /** They cannot be staged again. */
  readonly isOnce?: true
}

function toStore(engine: Engine, encoded: EncodedValue | StagedValue): ValueToStore {
  if ('staged' in encoded) return alreadyStaged(encoded)
  const { bytes, valueBytes, segments } = encoded
  if (!segments) return { fields: { valueBytes }, parts: { value: bytes }, stage: async () => {} }
  const id = createValueId(engine.random)
  return {
    fields: { valueBytes, segments: { id, count: segments.length } },
    parts: { index: bytes },
    stage: async refId => {
      for (const [position, segment] of segments.entries()) {
        await engine.store.stage({ refId, valueId: id, position }, segment, engine.clock.now())
        // A store that answers at once would write all of them in one go.
        await turn()
      }
    },
  }
}

/** What was appended is in the store; where a part of it is gone, it cannot be staged again. */
function alreadyStaged({ bytes, valueBytes, staged }: StagedValue): ValueToStore {
  return {
    fields: { valueBytes, segments: staged },
    parts: { index: bytes },
    stage: async () => {},
    isOnce: true,
  }
}

/** What the work ended with instead of a value. Where that cannot be kept, the error's text has to do. */
async function encodeFailure(
  engine: Engine,
  { verbatim, projection }: Tool,
  error: unknown,
): Promise<EncodedValue | undefined> {
  if (!(error instanceof TaskFailed) || error.value === undefined) return undefined
  return encodeValue(error.value, engine.encoding, { verbatim, projection }).catch(() => undefined)
}

/**
 * The store is full, and there was time enough to make room. The input goes, so that there is room for the record of
 * the failure. Until that is stored, whoever asks in this process is told here.
 */
async function failFull(engine: Engine, attempt: EndedAttempt, error: TaskError): Promise<void> {
  const { refId } = attempt.entry
  engine.errors.lose(refId, new StoreFull(StoreFull.advice))
  try {
    // Without its input a task cannot be retried, so one that failed by itself keeps it.
    const input = error.code === 'store_full' ? { input: undefined } : {}
    // What was staged of the result goes, too.
    const parts = { ...input, index: undefined }
    await store(engine, attempt, failure(engine, attempt.progress, error), { parts })
  } finally {
    engine.errors.endLoss(refId)
  }
}

/** Only the end of this process is a reason to give work away; work that fails is the work's own matter. */
function mayGoOnElsewhere(engine: Engine, entry: Entry, error: unknown): boolean {
  const closed = error instanceof WorkerLost && engine.stopping.aborted
  return closed && isRepeatable(entry) && engine.store.capabilities.shared
}

type Unowned<E> = E extends { owner: string } ? Omit<E, 'owner'> : never
type Ending = Unowned<Extract<EntryEvent, { type: 'complete' | 'fail' | 'postpone' | 'release' }>>

interface StoreOptions {
  readonly parts?: PayloadChanges | undefined
  readonly value?: ValueToStore | undefined
  /** Gives up a store that stays full for too long. */
  readonly until?: 'full'
}

/**
 * A store that is away is waited for: the work is done, and its result must not be lost. How long it is kept counts from
 * when it is stored at last.
 */
async function store(
  engine: Engine,
  attempt: EndedAttempt,
  eventAt: (now: number) => Ending,
  { parts, value, until }: StoreOptions = {},
): Promise<'stored' | 'refused' | 'full'> {
  const { refId, lease } = attempt.entry
  const tried: Ending[] = []
  const step = async () => {
    await value?.stage(refId)
    const event = eventAt(engine.clock.now())
    tried.push(event)
    const changed = await engine.entries.change(refId, { owner: lease.owner, ...event } as EntryEvent, parts)
    if (changed.refused && !tried.some(one => wasDone(changed, one))) return 'refused'
    announce(engine, changed.entry)
    return 'stored'
  }
  try {
    return await untilStored(step, {
      clock: engine.clock,
      signal: engine.stopping,
      tryFullUntil: fullSince => (until ? endOfTries(engine, attempt, fullSince) : Number.POSITIVE_INFINITY),
      onFailure: error => {
        if (value?.isOnce && error instanceof MissingSegments) throw new TaskFailed(PART_IS_GONE)
        engine.errors.abandon(refId, error)
      },
    })
  } catch (error) {
    if (until && error instanceof StoreFull && !engine.stopping.aborted) return 'full'
    throw error
  }
}

function endOfTries({ settings }: Engine, { tool, begunAt }: EndedAttempt, fullSince: number): number {
  const atHardTimeout = begunAt + (tool.hardTimeout ?? Number.POSITIVE_INFINITY)
  return Math.min(atHardTimeout, fullSince + settings.storeFullTimeout)
}

/** A try whose answer was lost may have been stored all the same; then the next one finds it done. */
function wasDone({ entry }: Change, event: Ending): boolean {
  if (event.type === 'postpone') return entry?.status === 'pending' && entry.retryAt === event.retryAt
  if (event.type === 'release' || !entry || isInFlight(entry)) return false
  return entry.completedAt === event.now && entry.status === (event.type === 'fail' ? 'failed' : 'complete')
}

function announce(engine: Engine, entry: Entry | undefined): void {
  if (!entry || isInFlight(entry)) return
  // How long it followed another task says nothing of how long its tool takes.
  if (entry.follows === undefined) engine.history.add(entry)
  const mayBeShared = entry.key === undefined || engine.tools.get(entry.toolName ?? '')?.endsWithCallers
  if (mayBeShared) engine.sharedRuns.settle(entry.refId)
  engine.events.emit(events.settled(entry))
}
