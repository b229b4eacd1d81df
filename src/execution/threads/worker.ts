import type { Handler } from '../../core/handler.ts'
import type { JsonValue } from '../../core/json.ts'
import { parseJson } from '../../core/json-text.ts'
import { keepable } from '../../core/protocol-error.ts'
import type { StandardSchema } from '../../core/standard-schema.ts'
import { checkResult } from '../../values/check-result.ts'
import { type ExecutableTool, runHandler } from '../executor-handler.ts'
import type { SchemaName, ThreadTask, ThreadToolInfo } from './messages.ts'
import { buffersOf } from './sendable.ts'
import { findTool, type ThreadTool } from './tool-module.ts'
import { WorkerContext } from './worker-context.ts'

export { encodeHere as encode } from './encoding.ts'

/** Runs one handler in this thread. The pool calls it, with one task at a time; it never rejects. */
export async function run(task: ThreadTask): Promise<void> {
  const context = new WorkerContext(task)
  try {
    context.begin()
    const tool = executable(task.tool, await findTool(task.tool.place), context)
    const result = await runHandler(tool, parse(task.input ?? (await context.input), tool), context)
    context.end({ type: 'result', result }, 'appended' in result ? [] : buffersOf(result))
  } catch (error) {
    context.fail(task.tool.adapted ? keepable(error) : error)
  }
}

function executable(
  { place, verbatim, projection, adapted, schemas }: ThreadToolInfo,
  found: ThreadTool,
  context: WorkerContext,
): ExecutableTool {
  const schemaOf = (name: SchemaName) =>
    found[name] ?? (schemas.includes(name) ? context.schema(name) : undefined)
  const input = schemaOf('input')
  return {
    name: place.name,
    handler: adapted ? checked(found.handler, schemaOf('output')) : found.handler,
    verbatim,
    projection,
    ...(input ? { input } : {}),
  }
}

function checked(
  handler: Handler<never, unknown>,
  output: StandardSchema<unknown> | undefined,
): Handler<never, unknown> {
  return async (...args) => checkResult(await handler(...args), output)
}

function parse(json: string, { verbatim }: ExecutableTool): JsonValue {
  return verbatim ? parseJson(json) : (JSON.parse(json) as JsonValue)
}
