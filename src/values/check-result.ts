import { InvalidArgument, TaskFailed } from '../core/errors.ts'
import { type StandardSchema, validate } from '../core/standard-schema.ts'
import { errorTextOf } from './call-result.ts'
import { isReturnedResult } from './returned-result.ts'

/**
 * What the handler of an adapter's tool returned, as the cache keeps it. A CallToolResult with `isError` is a failure of the tool.
 * Clients hold an answer against the declared schema: what breaks it is the tool's failure, too, at once.
 * @throws TaskFailed
 */
export async function checkResult(
  result: unknown,
  schema: StandardSchema<unknown> | undefined,
): Promise<unknown> {
  if (!isReturnedResult(result)) return schema ? validated(schema, result) : result
  if (result.isError) throw new TaskFailed(errorTextOf(result), { value: result })
  if (schema) await validated(schema, result.structuredContent)
  return result
}

async function validated(schema: StandardSchema<unknown>, result: unknown): Promise<unknown> {
  try {
    return await validate(schema, result, 'The result of the tool')
  } catch (error) {
    if (!(error instanceof InvalidArgument)) throw error
    throw new TaskFailed(`${error.message} It has to match the outputSchema that the tool declares.`)
  }
}
