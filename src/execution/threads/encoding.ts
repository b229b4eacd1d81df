import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { EncodedValue, ValueEncoding } from '../../core/codec.ts'
import { turn } from '../../core/steps.ts'
import { encodeSource } from '../../values/segments/encode.ts'
import type { LargeSource } from '../../values/segments/writer.ts'
import type { EncodeTask } from './messages.ts'
import type { ThreadPool } from './pool.ts'
import { buffersOf } from './sendable.ts'

/** UTF-16 units that are sent in one message. */
const AT_ONCE = 1024 * 1024

type ToThread = { readonly text: string; readonly isLast: boolean } | { readonly isGivenUp: true }
type FromThread = 'begun' | { readonly encoded: EncodedValue | undefined }

/**
 * Encodes a value in a thread. Undefined when the thread does not get to the end, whatever the reason.
 * @throws what the making of the pieces throws
 */
export async function encodeInThread(
  pool: ThreadPool,
  { pieces, ...source }: LargeSource,
  encoding: ValueEncoding,
): Promise<EncodedValue | undefined> {
  const { port1, port2 } = new MessageChannel()
  const kill = new AbortController()
  let encoded: EncodedValue | undefined
  port1.on('message', (message: FromThread) => {
    if (message === 'begun') pool.begun(kill)
    else encoded = message.encoded
  })
  port1.unref()
  let isOver = false
  const closed = new Promise<void>(resolve => port1.once('close', resolve))
  const run = pool.run('encode', { source, encoding, port: port2 } satisfies EncodeTask, [port2], kill).then(
    // Its last message comes before the port closes.
    () => closed,
    () => port1.close(),
  )
  void run.then(() => {
    isOver = true
  })
  try {
    for (const text of inMessages(pieces)) {
      if (isOver) return undefined
      port1.postMessage(text satisfies ToThread)
      await turn()
    }
  } catch (error) {
    port1.postMessage({ isGivenUp: true } satisfies ToThread)
    throw error
  }
  await run
  return encoded
}

function* inMessages(pieces: Iterable<string>): Generator<{ text: string; isLast: boolean }> {
  let text = ''
  for (const piece of pieces) {
    text += piece
    if (text.length < AT_ONCE) continue
    yield { text, isLast: false }
    text = ''
  }
  yield { text, isLast: true }
}

/** The same in the thread. It never rejects. */
export async function encodeHere({ source, encoding, port }: EncodeTask): Promise<void> {
  const say = (message: FromThread, transferred: ArrayBuffer[] = []) => port.postMessage(message, transferred)
  const received = receive(port)
  say('begun')
  const text = await received
  const encoded =
    text === undefined ? undefined : await encodeSource(text, source, encoding).catch(() => undefined)
  say({ encoded }, encoded && buffersOf(encoded))
  port.close()
}

/** Undefined: the value was given up. */
function receive(port: MessagePort): Promise<string | undefined> {
  const texts: string[] = []
  return new Promise(resolve => {
    port.on('message', (message: ToThread) => {
      if ('isGivenUp' in message) return resolve(undefined)
      texts.push(message.text)
      if (message.isLast) resolve(texts.splice(0).join(''))
    })
  })
}
