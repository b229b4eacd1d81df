import { Signal } from '../core/signal.ts'

export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

/** Whether a tool streams: it says so before it runs, or the SDK would have to be given a stream in every case. */
export function isStreaming(execute: unknown): boolean {
  return Object.prototype.toString.call(execute) === '[object AsyncGeneratorFunction]'
}

/** The result of a tool: the last value of a stream, each of which is reported. */
export async function lastOf(result: unknown, onValue: (value: unknown) => void): Promise<unknown> {
  if (!isAsyncIterable(result)) return result
  let last: unknown
  for await (const value of result) {
    last = value
    onValue(value)
  }
  return last
}

/** What a call reports while it goes on, and what it gives in the end. */
export async function* asStream(
  call: (onValue: (value: unknown) => void) => Promise<unknown>,
): AsyncGenerator<unknown> {
  const arrived = new Signal()
  const waiting: unknown[] = []
  let isOver = false
  const outcome = call(value => {
    waiting.push(value)
    arrived.notify()
  }).finally(() => {
    isOver = true
    arrived.notify()
  })
  // It is awaited below, after what came before it.
  outcome.catch(() => {})
  let last: unknown
  while (!isOver || waiting.length > 0) {
    while (waiting.length > 0) {
      last = waiting.shift()
      yield last
    }
    if (!isOver) await arrived.next()
  }
  const output = await outcome
  // The SDK takes the last value for the result.
  if (output !== last) yield output
}
