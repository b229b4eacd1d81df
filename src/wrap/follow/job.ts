import { pause } from '../../core/abort.ts'
import { Backoff } from '../../core/backoff.ts'
import type { Clock } from '../../core/clock.ts'
import { toMilliseconds } from '../../core/duration.ts'
import { HardTimeout, TaskCancelled, TaskFailed } from '../../core/errors.ts'
import type { TaskContext } from '../../core/handler.ts'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { stringifyJson } from '../../core/json-text.ts'
import { errorTextOf } from '../../values/call-result.ts'
import { argumentsFor, find, findNumber, findWords, holds } from './places.ts'
import { type AskSettings, type FollowSettings, isAsk } from './settings.ts'

/** A job that a tool of the wrapped server has started, and who follows it. */
export interface Job {
  readonly settings: FollowSettings
  /** The answer of the tool that started it. */
  readonly started: JsonObject
  /** What that tool was called with. */
  readonly given: JsonValue | undefined
  readonly task: Pick<TaskContext, 'signal' | 'progress'>
  readonly clock: Clock
  /** Calls a tool of the server. @throws where it gives no result */
  readonly ask: (tool: string, args: JsonObject, signal?: AbortSignal) => Promise<JsonObject>
}

/** How often in a row the server may fail to say how the job is. */
const MAX_FAILURES = 5
const GROWTH = 1.5

/**
 * Asks how a job is until it is over, and gives its result. An answer in which no job can be found is the result itself.
 * @throws TaskFailed where the job failed; the signal's reason when the task is over, with the job cancelled where nobody wants it
 */
export async function followJob(job: Job): Promise<JsonObject> {
  const { settings, started, given, task } = job
  const args = argumentsFor(settings.ask, [started], given)
  if (!args) return started
  try {
    const last = await waitForEnd(job, args)
    return await resultOf(job, last)
  } catch (error) {
    if (task.signal.aborted && isUnwanted(task.signal.reason)) void cancelJob(job)
    throw error
  }
}

/** The wrapper itself may end while the job goes on: then the next one follows it. */
export function isUnwanted(reason: unknown): boolean {
  return reason instanceof TaskCancelled || reason instanceof HardTimeout
}

/** The answer that says that the job is done. */
async function waitForEnd(job: Job, args: JsonObject): Promise<JsonObject> {
  const { settings, task, clock } = job
  const between = new Backoff({
    firstMs: toMilliseconds(settings.every, 'every'),
    maxMs: toMilliseconds(settings.atMost, 'atMost'),
    factor: GROWTH,
  })
  let told = ''
  for (let failures = 0; ; ) {
    await pause(clock, between.next(), task.signal)
    const answer = await job.ask(settings.ask.tool, args, task.signal).catch(asFailure(task.signal))
    if (answer instanceof Error) {
      if (++failures >= MAX_FAILURES) throw answer
      continue
    }
    if (settings.failed && holds(answer, settings.failed)) throw new TaskFailed(reasonOf(answer, settings))
    if (holds(answer, settings.done)) return answer
    if (answer.isError !== true) failures = 0
    else if (++failures >= MAX_FAILURES) throw new TaskFailed(errorTextOf(answer), { value: answer })
    const news = tell(job, answer)
    if (news !== told) between.reset()
    told = news
  }
}

function asFailure(signal: AbortSignal) {
  return (error: unknown): Error => {
    signal.throwIfAborted()
    return error instanceof Error ? error : new TaskFailed(String(error))
  }
}

function reasonOf(answer: JsonObject, { error }: FollowSettings): string {
  return (error === undefined ? undefined : findWords(answer, error)) ?? errorTextOf(answer)
}

/** Reports progress; gives what there was to tell. */
function tell({ settings: { progress }, task }: Job, answer: JsonObject): string {
  if (!progress) return ''
  const { current, total, message } = progress
  const report = {
    ...(current === undefined ? {} : { current: findNumber(answer, current) }),
    ...(total === undefined ? {} : { total: findNumber(answer, total) }),
    ...(message === undefined ? {} : { message: findWords(answer, message) }),
  }
  if (Object.values(report).some(value => value !== undefined)) task.progress(report)
  return JSON.stringify(report)
}

async function resultOf(job: Job, last: JsonObject): Promise<JsonObject> {
  const { result } = job.settings
  if (result === undefined) return last
  if (isAsk(result)) return fetchResult(job, result, last)
  const found = find(last, result)
  if (found === undefined) return last
  return { content: [{ type: 'text', text: typeof found === 'string' ? found : stringifyJson(found) }] }
}

async function fetchResult(job: Job, from: AskSettings, last: JsonObject): Promise<JsonObject> {
  const { settings, started, given, task, clock, ask } = job
  const args = argumentsFor(from, [last, started], given)
  if (!args) return last
  for (let failures = 1; ; failures++) {
    const answer = await ask(from.tool, args, task.signal).catch(asFailure(task.signal))
    if (!(answer instanceof Error) && answer.isError !== true) return answer
    if (failures >= MAX_FAILURES) {
      throw answer instanceof Error ? answer : new TaskFailed(errorTextOf(answer), { value: answer })
    }
    await pause(clock, toMilliseconds(settings.every, 'every'), task.signal)
  }
}

/** Nobody wants the job any more. What becomes of that is the server's affair. */
async function cancelJob({ settings: { cancel }, started, given, ask }: Job): Promise<void> {
  const args = cancel && argumentsFor(cancel, [started], given)
  if (args) await ask(cancel.tool, args).catch(() => {})
}
