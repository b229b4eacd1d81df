import type { EncodedValue } from '../../core/codec.ts'
import type { JsonValue } from '../../core/json.ts'
import { parseJson } from '../../core/json-text.ts'
import type { Appended } from '../executor.ts'
import { type ExecutableTool, runHandler } from '../executor-handler.ts'
import type { ThreadTask } from './messages.ts'
import { findTool } from './tool-module.ts'
import { WorkerContext } from './worker-context.ts'

/** Runs one handler in this thread. The pool calls it, with one task at a time; it never rejects. */
export async function run(task: ThreadTask): Promise<void> {
  const context = new WorkerContext(task)
  try {
    context.begin()
    const result = await runHandler(await toolOf(task), inputOf(task), context)
    context.end({ type: 'result', result }, buffersOf(result))
  } catch (error) {
    context.fail(error)
  }
}

async function toolOf({ place, verbatim, projection, input }: ThreadTask): Promise<ExecutableTool> {
  const { handler, input: schema } = await findTool(place)
  return {
    name: place.name,
    handler,
    verbatim,
    projection,
    ...(schema && 'json' in input ? { input: schema } : {}),
  }
}

function inputOf({ input, verbatim }: ThreadTask): JsonValue {
  if ('value' in input) return input.value as JsonValue
  return verbatim ? parseJson(input.json) : (JSON.parse(input.json) as JsonValue)
}

/** They go over as they are, and are not copied. */
function buffersOf(result: EncodedValue | Appended): ArrayBuffer[] {
  if ('appended' in result) return []
  const buffers = [result.bytes, ...(result.segments ?? [])].map(({ buffer }) => buffer as ArrayBuffer)
  return [...new Set(buffers)]
}
