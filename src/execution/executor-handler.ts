import type { EncodedValue } from '../core/codec.ts'
import type { ProgressReport, TaskContext } from '../core/handler.ts'
import type { JsonValue } from '../core/json.ts'
import { ownMembers } from '../core/own-members.ts'
import type { ElicitResult } from '../core/question.ts'
import { validate } from '../core/standard-schema.ts'
import type { Tool } from '../core/tool.ts'
import { encodeValue } from '../values/segments/encode.ts'
import type { Appended, ExecutionContext } from './executor.ts'
import { Appender } from './executor-appender.ts'

/** What is needed of a tool where its handler runs. */
export type ExecutableTool = Pick<Tool, 'name' | 'handler'> &
  Partial<Pick<Tool, 'input' | 'verbatim' | 'projection'>>

/**
 * Runs a handler in this process: validates the input, calls the handler, encodes the result. An executor that has other
 * processes calls it in those. While the handler works this is the one function that waits for it: there may be very many.
 */
export async function runHandler(
  tool: ExecutableTool,
  input: JsonValue,
  context: ExecutionContext,
): Promise<EncodedValue | Appended> {
  const checked = tool.input ? validate(tool.input, input, 'The input') : input
  const args = checked instanceof Promise ? await checked : checked
  // Else nothing can have happened since it was begun, and a signal that nobody reads need not be made.
  if (checked instanceof Promise) context.signal.throwIfAborted()
  const task = HandlerTask.withMembers(new HandlerTask(context, tool.verbatim ?? false))
  let result: unknown
  try {
    result = await callHandler(tool, args, task, context.local)
  } catch (error) {
    await HandlerTask.appenderOf(task).sent()
    throw error
  }
  return (await HandlerTask.appenderOf(task).end(result)) ?? encode(tool, result, context)
}

/** The tool's own schema vouched for the type. */
function callHandler({ handler }: ExecutableTool, args: unknown, task: TaskContext, local: unknown): unknown {
  return local === undefined ? handler(args as never, task) : handler(args as never, task, local)
}

function encode(
  { verbatim = false, projection }: ExecutableTool,
  result: unknown,
  { encoding, encodeElsewhere }: ExecutionContext,
): Promise<EncodedValue> {
  return encodeValue(result, encoding, { verbatim, projection }, encodeElsewhere)
}

/** What is behind the task that a handler gets. There may be very many, and most handlers read little of it. */
class HandlerTask {
  readonly #context: ExecutionContext
  readonly #verbatim: boolean
  #appender: Appender | undefined

  constructor(context: ExecutionContext, verbatim: boolean) {
    this.#context = context
    this.#verbatim = verbatim
  }

  /** Not a member: those are the handler's. */
  static appenderOf(task: HandlerTask): Appender {
    task.#appender ??= new Appender(task.#context, task.#verbatim)
    return task.#appender
  }

  static readonly withMembers = ownMembers<HandlerTask, TaskContext>({
    refId: task => {
      task.#context.onRefIdRead?.()
      return task.#context.refId
    },
    attempt: task => task.#context.attempt,
    actor: task => task.#context.startedBy,
    signal: task => task.#context.signal,
    progress: task => (current: number | ProgressReport, total?: number, message?: string) =>
      task.#context.progress(typeof current === 'object' ? current : { current, total, message }),
    append: task => piece => HandlerTask.appenderOf(task).append(piece),
    // Its shape was checked when it was given.
    elicit:
      task =>
      (params, { signal } = {}) =>
        task.#context.ask('elicitation/create', params, signal) as Promise<unknown> as Promise<ElicitResult>,
    sample:
      task =>
      (params, { signal } = {}) =>
        task.#context.ask('sampling/createMessage', params, signal),
  })
}
