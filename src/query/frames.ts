/** A message, or data that belong to a message. Data that are too long for one frame come in parts, before their last frame. */
export interface Frame {
  readonly kind: FrameKind
  readonly text: string
}

export type FrameKind = (typeof KINDS)[number]

const HEADER_BYTES = 5
const KINDS = ['message', 'data', 'part'] as const

/** A frame as it goes through a pipe: its kind, its length, and its text in UTF-8. */
export function writeFrame({ kind, text }: Frame): Buffer {
  const length = Buffer.byteLength(text)
  const frame = Buffer.allocUnsafe(HEADER_BYTES + length)
  writeHeader(frame, kind, length)
  frame.write(text, HEADER_BYTES, 'utf8')
  return frame
}

/** What stands before a text that is in UTF-8 already. */
export function frameHeader(kind: FrameKind, { length }: Uint8Array): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES)
  writeHeader(header, kind, length)
  return header
}

function writeHeader(frame: Buffer, kind: FrameKind, length: number): void {
  frame[0] = KINDS.indexOf(kind)
  frame.writeUInt32LE(length, 1)
}

/** Puts frames together from the chunks of a pipe. */
export class FrameReader {
  #chunks: Buffer[] = []
  #length = 0

  #peek(bytes: number): Buffer {
    const [first] = this.#chunks as [Buffer]
    return first.length >= bytes ? first : this.#join()
  }

  #take(bytes: number): Buffer {
    const whole = this.#peek(bytes)
    const rest = whole.subarray(bytes)
    this.#chunks.shift()
    if (rest.length > 0) this.#chunks.unshift(rest)
    this.#length -= bytes
    return whole.subarray(0, bytes)
  }

  *read(chunk: Buffer): Iterable<Frame> {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    while (this.#length >= HEADER_BYTES) {
      const header = this.#peek(HEADER_BYTES)
      const length = header.readUInt32LE(1)
      if (this.#length < HEADER_BYTES + length) return
      const frame = this.#take(HEADER_BYTES + length)
      yield {
        kind: KINDS[frame[0] as number] as FrameKind,
        text: frame.toString('utf8', HEADER_BYTES),
      }
    }
  }

  #join(): Buffer {
    this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0] as Buffer
  }
}
