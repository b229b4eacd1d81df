import type { EncodedValue } from '../../core/codec.ts'
import { InvalidArgument } from '../../core/errors.ts'
import { type ErrorData, toErrorData } from '../executor-errors.ts'

/** What was thrown, as a message can carry it. What it holds that no message can carry is left out. Never throws. */
export function sendableError(thrown: unknown): ErrorData {
  return plainError(toErrorData(thrown))
}

function plainError(data: ErrorData): ErrorData {
  try {
    return JSON.parse(JSON.stringify(data)) as ErrorData
  } catch {
    const { value, rpc, cause, errors, ...rest } = data
    return {
      ...rest,
      ...(cause ? { cause: plainError(cause) } : {}),
      ...(errors ? { errors: errors.map(plainError) } : {}),
    }
  }
}

/** The parameters of a question as JSON has them. @throws InvalidArgument */
export function sendableParams(params: unknown): unknown {
  try {
    const json = JSON.stringify(params)
    return json === undefined ? undefined : JSON.parse(json)
  } catch (cause) {
    throw new InvalidArgument('What a task asks must be JSON.', { cause })
  }
}

/** What goes over as it is, and is not copied. */
export function buffersOf({ bytes, segments = [] }: EncodedValue): ArrayBuffer[] {
  return [...new Set([bytes, ...segments].map(({ buffer }) => buffer as ArrayBuffer))]
}
