import type { WireMessage } from '../../agent/tasks/subscriptions.ts'

/** Server-sent events, as far as the SDK writes them: one message each, or a comment. */

const BOUNDARY = '\n\n'

/** The events of a stream, each as its text without the boundary. */
export async function* eventsOf(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const events = (rest + decoder.decode(value, { stream: true })).split(BOUNDARY)
    rest = events.pop() ?? ''
    yield* events
  }
}

/** The message of an event; nothing for a comment. */
export function messageIn(event: string): WireMessage | undefined {
  const data = event
    .split('\n')
    .filter(line => line.startsWith('data:'))
    .map(line => line.slice('data:'.length).trimStart())
  return data.length === 0 ? undefined : (JSON.parse(data.join('\n')) as WireMessage)
}

const encoder = new TextEncoder()

export function encodeEvent(event: string): Uint8Array {
  return encoder.encode(event + BOUNDARY)
}

export function eventOf(message: WireMessage): string {
  return `event: message\ndata: ${JSON.stringify(message)}`
}

/** Nobody reads it, and everybody between the two ends sees that the stream is alive. */
export const KEEP_ALIVE = ': keepalive'
