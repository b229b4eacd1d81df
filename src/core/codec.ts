import { promisify } from 'node:util'
// The default import, because what an older Node lacks must be looked up at run time: a bundler turns members of a
// namespace into named imports, and one that is missing then fails the whole module.
import zlib from 'node:zlib'
import { UnreadableValue } from './errors.ts'
import type { JsonValue } from './json.ts'
import { parseJson } from './json-text.ts'

/** The first byte of stored bytes says how the rest was encoded. */
const PLAIN = 0
const BROTLI = 1
/** Written by version 0.1 on Node 22.15 and newer. Only read today: Node 20 cannot. */
const ZSTD = 2

/** Smaller texts are not worth a trip to the thread pool. */
const COMPRESS_FROM_BYTES = 64 * 1024

type Callback = (error: Error | null, result: Uint8Array) => void
type Decompress = (bytes: Uint8Array, callback: Callback) => void

/** How values become bytes for one store. */
export interface ValueEncoding {
  /** The largest value, in bytes of JSON. */
  readonly maxBytes: number
  readonly compress: boolean
}

/** A value as a store keeps it, and how large it is as JSON. */
export interface EncodedValue {
  /** The value; of a large value, which has segments, their index. */
  readonly bytes: Uint8Array
  readonly segments?: readonly Uint8Array[]
  readonly valueBytes: number
}

/** JSON text as tagged bytes. `compress` is for stores whose bytes leave memory; every supported Node reads the result. */
export async function encode(json: string, options: { compress: boolean }): Promise<Uint8Array> {
  const bytes = Buffer.from(json, 'utf8')
  if (!options.compress || bytes.length < COMPRESS_FROM_BYTES) return tagged(PLAIN, bytes)
  return tagged(BROTLI, await brotli(bytes))
}

/** @throws UnreadableValue when the bytes are damaged, or need a newer Node to read. */
export async function decode(bytes: Uint8Array): Promise<string> {
  return text(await decodeToUtf8(bytes))
}

/** The same as it is before it becomes a text. */
export async function decodeToUtf8(bytes: Uint8Array): Promise<Uint8Array> {
  const body = bytes.subarray(1)
  try {
    switch (bytes[0]) {
      case PLAIN:
        return body
      case BROTLI:
        return await promisify(zlib.brotliDecompress as Decompress)(body)
      case ZSTD:
        return await unzstd(body)
      default:
        throw new Error(`it is encrypted, or of another version: its encoding tag is ${bytes[0]}`)
    }
  } catch (cause) {
    throw new UnreadableValue((cause as Error).message, { cause })
  }
}

/** @throws UnreadableValue when the text behind the bytes is no JSON any more. */
export function parseStored(json: string, parse: (json: string) => JsonValue = parseJson): JsonValue {
  try {
    return parse(json)
  } catch (cause) {
    throw new UnreadableValue('it is damaged', { cause })
  }
}

/** Quality 1, off the main thread: faster than a disk, and half the size. */
function brotli(bytes: Uint8Array): Promise<Uint8Array> {
  const compress = zlib.brotliCompress as (b: Uint8Array, o: zlib.BrotliOptions, cb: Callback) => void
  return promisify(compress)(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } })
}

function unzstd(bytes: Uint8Array): Promise<Uint8Array> {
  const { zstdDecompress } = zlib as { zstdDecompress?: Decompress }
  if (!zstdDecompress) throw new Error('it was compressed with zstd, which needs Node 22.15 or newer')
  return promisify(zstdDecompress)(bytes)
}

function tagged(tag: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(body.length + 1)
  bytes[0] = tag
  bytes.set(body, 1)
  return bytes
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}
