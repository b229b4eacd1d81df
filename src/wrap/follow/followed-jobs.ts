import { actor } from '../../access/actor.ts'
import { systemClock } from '../../core/clock.ts'
import { type Duration, toMilliseconds } from '../../core/duration.ts'
import { WorkerLost } from '../../core/errors.ts'
import type { TaskContext } from '../../core/handler.ts'
import type { JsonObject } from '../../core/json.ts'
import type { CachedTool } from '../../flow/call/options.ts'
import type { RefCache } from '../../ref-cache.ts'
import type { CallInput } from '../tools/call-input.ts'
import { followJob, isUnwanted } from './job.ts'
import type { FollowSettings } from './settings.ts'

/** A call of a tool that starts a job. */
export interface JobCall {
  /** What the cache calls the tool. */
  readonly toolName: string
  readonly input: CallInput
  /** Whether the tool itself can be called as a task of 2025-11-25. */
  readonly asTask: boolean
  /** Whether the tool may be called again where nobody knows what came of its call. */
  readonly mayRepeat: boolean
  readonly task: TaskContext
  readonly settings: FollowSettings
  readonly hardTimeout: Duration | null | undefined
}

/** Calls a tool of the wrapped server. */
type Run = (input: CallInput, asTask: boolean, task: TaskContext) => Promise<JsonObject>

/** Which task a job is for. */
interface JobOf {
  readonly task: string
}

/** What is noted of a task's job: that it is being started, and what its start was answered with. */
type Note = 'start' | 'answer'

const ONE_HOUR_MS = 3_600_000
/** How long a server may take to cancel a job that nobody wants. */
const CANCEL_MS = 10_000

/**
 * Starts jobs and follows them. Two entries note what is known of a job, memoized by the task that it is for. Whoever runs the task again,
 * after a restart of the wrapper, finds the answer to the start there and goes on with the same job. A start that a dead wrapper left
 * unanswered is lost: nobody knows whether there is a job.
 */
export class FollowedJobs {
  readonly #notes = new Map<string, CachedTool<JobOf, JsonObject>>()

  constructor(
    private readonly cache: RefCache,
    private readonly askServer: Run,
  ) {}

  /** @throws what the start threw, and as `followJob` */
  async run(call: JobCall): Promise<JsonObject> {
    const { input, settings, task } = call
    // At 2026-07-28 each request says what its client can do.
    const { name: _, ...about } = input.params
    const ask = (name: string, args: JsonObject, signal = AbortSignal.timeout(CANCEL_MS)) =>
      this.askServer({ ...input, params: { name, ...about }, arguments: args }, false, { ...task, signal })
    try {
      const started = await this.#start(call)
      return await followJob({ settings, started, given: input.arguments, task, clock: systemClock, ask })
    } finally {
      // The task's next attempt starts another job, unless it was only left here.
      const isLeft = task.signal.aborted && !isUnwanted(task.signal.reason)
      if (!isLeft) await this.#forget(call)
    }
  }

  /** The answer to the start, which is made once. */
  async #start(call: JobCall): Promise<JsonObject> {
    let isFirst = false
    await this.#noted('start', call, async () => {
      isFirst = true
      return {}
    })
    return this.#noted('answer', call, async () => {
      if (isFirst || call.mayRepeat) return this.askServer(call.input, call.asTask, call.task)
      throw new WorkerLost('The wrapper ended while the job was being started: nobody knows whether it was.')
    })
  }

  async #forget(call: JobCall): Promise<void> {
    for (const note of ['answer', 'start'] as const)
      await this.#note(note, call).invalidate(...ofTask(call.task))
  }

  /** What an earlier attempt has noted, or what is noted now. */
  #noted(note: Note, call: JobCall, make: () => Promise<JsonObject>): Promise<JsonObject> {
    const [of, who] = ofTask(call.task)
    const { signal } = call.task
    return this.#note(note, call).value(of, { ...who, signal, cancelsWork: true, local: () => make })
  }

  #note(note: Note, { toolName, hardTimeout = ONE_HOUR_MS }: JobCall): CachedTool<JobOf, JsonObject> {
    const name = `${note}:${toolName}`
    const known = this.#notes.get(name)
    if (known) return known
    const ttl = hardTimeout === null ? null : toMilliseconds(hardTimeout, 'hardTimeout') + ONE_HOUR_MS
    const tool = this.cache.cached<JobOf, JsonObject>(
      { name, replace: true, memoize: true, resolveRefs: false, verbatim: true, ttl },
      async (_, __, make) => (make as () => Promise<JsonObject>)(),
    )
    this.#notes.set(name, tool)
    return tool
  }
}

/** Its notes are the wrapper's own: no caller has it among its tasks. */
function ofTask({ refId }: TaskContext) {
  return [{ task: refId }, { actor: actor.system(), namespace: 'custom:followed-jobs' }] as const
}

/** What a model is told of a tool whose jobs are followed. */
export function noteOnJob(settings: FollowSettings | undefined): string | undefined {
  return settings && `Answers with the job's result. Never call ${settings.ask.tool} for it.`
}
