import type { EncodedValue } from '../core/codec.ts'
import type { ProgressReport, TaskContext } from '../core/handler.ts'
import type { JsonValue } from '../core/json.ts'
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
 * processes calls it in those.
 */
export async function runHandler(
  { handler, input: schema, verbatim = false, projection }: ExecutableTool,
  input: JsonValue,
  context: ExecutionContext,
): Promise<EncodedValue | Appended> {
  const args = schema ? await validate(schema, input, 'The input') : input
  context.signal.throwIfAborted()
  // The tool's own schema vouched for the type.
  const appender = new Appender(context, verbatim)
  const task = taskContext(context, appender)
  const { local } = context
  const run = async () =>
    local === undefined ? handler(args as never, task) : handler(args as never, task, local)
  const result = await run().catch(async error => {
    await appender.sent()
    throw error
  })
  const { encoding, encodeElsewhere } = context
  const appended = await appender.end(result)
  return appended ?? encodeValue(result, encoding, { verbatim, projection }, encodeElsewhere)
}

function taskContext(context: ExecutionContext, appender: Appender): TaskContext {
  return {
    get refId() {
      context.onRefIdRead?.()
      return context.refId
    },
    attempt: context.attempt,
    actor: context.startedBy,
    get signal() {
      return context.signal
    },
    progress(current: number | ProgressReport, total?: number, message?: string) {
      context.progress(typeof current === 'object' ? current : { current, total, message })
    },
    append: piece => appender.append(piece),
    // Its shape was checked when it was given.
    elicit: (params, { signal } = {}) =>
      context.ask('elicitation/create', params, signal) as Promise<unknown> as Promise<ElicitResult>,
    sample: (params, { signal } = {}) => context.ask('sampling/createMessage', params, signal),
  }
}
