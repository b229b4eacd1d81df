import { type Actor, type ActorLike, isDescribed, toActor } from '../../access/actor.ts'
import type { AnswerLimits } from '../../core/answer-limits.ts'
import { toDate } from '../../core/clock.ts'
import { type CompleteEntry, type Entry, type FailedEntry, isInFlight } from '../../core/entry.ts'
import { checkNames, type Names } from '../../core/options.ts'
import type { RefId } from '../../core/ref.ts'
import type { CallResponse } from '../../core/response.ts'
import { noted } from '../derive/query.ts'
import type { Engine } from '../engine.ts'
import { findAnd } from '../read/find.ts'
import { reply, replyStatus } from '../read/reply.ts'
import { describeTask } from '../read/status.ts'

/** How a task stands, and what a list of tasks says beside that. */
export interface TaskInfo {
  /** As `taskStatus` has it, in the `standard` format whatever the tool's. */
  readonly response: CallResponse
  readonly createdAt: Date
  /** When it last changed: was created, started, put off or ended, reported progress, asked, or was answered. */
  readonly updatedAt: Date
  /** Absent while the task is in flight, and for what never expires. */
  readonly expiresAt?: Date
  readonly toolName?: string
  /** Of a question: the tool that made the value that is asked. */
  readonly origin?: string
  /** The tool declares what its results are like. */
  readonly hasOutputSchema?: boolean
  /** Where it was asked for and the task has completed or failed: what a call that waited would answer. */
  readonly answer?: CallResponse
}

export interface TaskInfoOptions {
  /** @defaultValue an anonymous agent */
  actor?: ActorLike | undefined
  /** Whether to give the answer of a task that has ended, too. The value is read only then. @defaultValue false */
  withAnswer?: boolean | undefined
  /**
   * It is given to a client as a task of MCP: once it has ended it never moves again, and `retryTask` begins a new entry. For
   * adapters.
   * @defaultValue false
   */
  native?: boolean | undefined
  /** What the reader of the answer can take. For adapters. */
  limits?: AnswerLimits | undefined
}

const OPTIONS: Names<TaskInfoOptions> = { actor: true, withAnswer: true, native: true, limits: true }

/** One read of the entry, and one authorization. @throws NotFound where the actor may not know of it */
export function taskInfo(engine: Engine, refId: RefId, options: TaskInfoOptions): Promise<TaskInfo> {
  checkNames(options, OPTIONS, '`taskInfo`')
  const who = toActor(options.actor)
  return findAnd(engine, refId, who, async entry => {
    const info = await (options.withAnswer && entry && hasAnswer(entry)
      ? describeAnswered(engine, entry, who, options.limits)
      : describe(engine, entry, who, refId))
    // After that is authorized; and by nobody who could only look, since it takes the reference's later attempts from its owner.
    if (options.native && entry && !entry.native && isDescribed(entry.startedBy, who))
      await engine.entries.change(entry, { type: 'become-native' })
    return info
  })
}

/** @throws NotFound where the actor may not know of it */
export function describe(
  engine: Engine,
  entry: Entry | undefined,
  who: Actor,
  refId = entry?.refId,
): TaskInfo {
  const response = replyStatus(engine, entry, who, { action: 'status', refId, format: 'standard' })
  // Nobody is authorized for what is not there.
  return about(engine, entry as Entry, response)
}

type Answered = CompleteEntry | FailedEntry

function hasAnswer(entry: Entry): entry is Answered {
  return entry.status === 'complete' || entry.status === 'failed'
}

async function describeAnswered(
  engine: Engine,
  entry: Answered,
  who: Actor,
  limits: AnswerLimits | undefined,
): Promise<TaskInfo> {
  // A value that may be used but not seen: the call would have been given the bare reference.
  const answer = await reply(engine, entry, who, {
    action: 'get',
    ifUnreadable: 'reference-only',
    limits,
  })
  const response = entry.status === 'complete' ? answer : describeTask(engine, entry, who, 'standard')
  return { ...about(engine, entry, response), answer: noted(answer, entry) }
}

function about(engine: Engine, entry: Entry, response: CallResponse): TaskInfo {
  const { createdAt, expiresAt, toolName, origin } = entry
  return {
    response,
    createdAt: toDate(createdAt),
    updatedAt: toDate(updatedAt(entry)),
    ...(expiresAt === undefined ? {} : { expiresAt: toDate(expiresAt) }),
    ...(toolName === undefined ? {} : { toolName }),
    ...(origin === undefined ? {} : { origin }),
    hasOutputSchema: engine.tools.get(toolName ?? '')?.outputSchema !== undefined,
  }
}

function updatedAt(entry: Entry): number {
  // An older version wrote it, or nothing has happened to it yet.
  const startedAt = entry.status === 'pending' ? undefined : entry.startedAt
  return (
    entry.updatedAt ?? (isInFlight(entry) ? undefined : entry.completedAt) ?? startedAt ?? entry.createdAt
  )
}
