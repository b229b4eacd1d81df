import { actor } from '../../access/actor.ts'
import { systemClock } from '../../core/clock.ts'
import { type Duration, toMilliseconds } from '../../core/duration.ts'
import { WorkerLost } from '../../core/errors.ts'
import type { TaskContext } from '../../core/handler.ts'
import type { JsonObject } from '../../core/json.ts'
import type { CachedTool } from '../../flow/call/options.ts'
import type { RefCache } from '../../ref-cache.ts'
import type { CallInput } from '../call-input.ts'
import { followJob, isUnwanted } from './job.ts'
import type { FollowSettings } from './settings.ts'

/** A call of a tool that starts a job. */
export interface JobCall {
  /** What the cache calls the tool. */
  readonly toolName: string
  readonly input: CallInput
  /** Whether the tool itself can be called as a task of 2025-11-25. */
  readonly asTask: boolean
  readonly task: TaskContext
  readonly settings: FollowSettings
  readonly hardTimeout: Duration | null | undefined
}

/** Calls a tool of the wrapped server. */
type Run = (input: CallInput, asTask: boolean, task: TaskContext) => Promise<JsonObject>

/** Which task a job was started for. */
interface JobOf {
  readonly task: string
}

const ONE_HOUR_MS = 3_600_000
/** How long a server may take to cancel a job that nobody wants. */
const CANCEL_MS = 10_000

/**
 * Starts jobs and follows them. The answer to a start is an entry of its own, memoized by the task that the job is for. Whoever runs the
 * task again, after a restart of the wrapper, finds it there and goes on with the same job. A start that a dead wrapper left
 * unanswered is lost: nobody knows whether there is a job.
 */
export class FollowedJobs {
  readonly #starts = new Map<string, CachedTool<JobOf, JsonObject>>()

  constructor(
    private readonly cache: RefCache,
    private readonly askServer: Run,
  ) {}

  /** @throws what the start threw, and as `followJob` */
  async run(call: JobCall): Promise<JsonObject> {
    const { input, settings, task } = call
    const started = await this.#start(call)
    // At 2026-07-28 each request says what its client can do.
    const { name: _, ...about } = input.params
    const ask = (name: string, args: JsonObject, signal = AbortSignal.timeout(CANCEL_MS)) =>
      this.askServer({ ...input, params: { name, ...about }, arguments: args }, false, { ...task, signal })
    try {
      return await followJob({ settings, started, given: input.arguments, task, clock: systemClock, ask })
    } finally {
      // The task's next attempt starts another job, unless it was only left here.
      const isLeft = task.signal.aborted && !isUnwanted(task.signal.reason)
      if (!isLeft) await this.#starter(call).invalidate(...ofTask(task))
    }
  }

  #start(call: JobCall): Promise<JsonObject> {
    const { task } = call
    const [of, who] = ofTask(task)
    return this.#starter(call).value(of, {
      ...who,
      signal: task.signal,
      cancelsWork: true,
      local: () => () => this.askServer(call.input, call.asTask, task),
    })
  }

  #starter({ toolName, hardTimeout = ONE_HOUR_MS }: JobCall): CachedTool<JobOf, JsonObject> {
    const known = this.#starts.get(toolName)
    if (known) return known
    const longest = hardTimeout === null ? null : toMilliseconds(hardTimeout, 'hardTimeout') + ONE_HOUR_MS
    const starter = this.cache.cached<JobOf, JsonObject>(
      {
        name: `start:${toolName}`,
        replace: true,
        memoize: true,
        resolveRefs: false,
        verbatim: true,
        ttl: longest,
      },
      async (_, __, start) => {
        if (!start)
          throw new WorkerLost('Nobody knows whether the job was started: the wrapper ended meanwhile.')
        return (start as () => Promise<JsonObject>)()
      },
    )
    this.#starts.set(toolName, starter)
    return starter
  }
}

/** The entry of a start is the wrapper's own: no caller has it among its tasks. */
function ofTask({ refId }: TaskContext) {
  return [{ task: refId }, { actor: actor.system(), namespace: 'custom:followed-jobs' }] as const
}

/** What a model is told of a tool whose jobs are followed. */
export function noteOnJob(settings: FollowSettings | undefined): string | undefined {
  return settings && `Answers with the job's result. Never call ${settings.ask.tool} for it.`
}
