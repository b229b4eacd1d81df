import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { StoreUnavailable } from './errors.ts'

/** The first byte of stored bytes says how the rest was encoded. */
const PLAIN = 0
const BROTLI = 1
const ZSTD = 2

/** Smaller texts are not worth a trip to the thread pool. */
const COMPRESS_FROM_BYTES = 64 * 1024

type Transform = (bytes: Uint8Array) => Promise<Uint8Array>

const brotli: Transform = bytes =>
  promisify(zlib.brotliCompress as (b: Uint8Array, o: zlib.BrotliOptions, cb: Callback) => void)(bytes, {
    params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 },
  })
const unbrotli: Transform = promisify(zlib.brotliDecompress as (b: Uint8Array, cb: Callback) => void)

type Callback = (error: Error | null, result: Uint8Array) => void

/** zstd came with Node 22.15; level 1 there, brotli at quality 1 elsewhere. Both work off the main thread. */
const zstd: Transform | undefined =
  'zstdCompress' in zlib
    ? bytes =>
        promisify(zlib.zstdCompress as (b: Uint8Array, o: zlib.ZstdOptions, cb: Callback) => void)(bytes, {
          params: { [zlib.constants.ZSTD_c_compressionLevel]: 1 },
        })
    : undefined
const unzstd: Transform | undefined =
  'zstdDecompress' in zlib
    ? promisify(zlib.zstdDecompress as (b: Uint8Array, cb: Callback) => void)
    : undefined

/** JSON text as tagged bytes. `compress` is for stores whose bytes leave memory. */
export async function encode(json: string, options: { compress: boolean }): Promise<Uint8Array> {
  const bytes = Buffer.from(json, 'utf8')
  if (!options.compress || bytes.length < COMPRESS_FROM_BYTES) return tagged(PLAIN, bytes)
  return zstd ? tagged(ZSTD, await zstd(bytes)) : tagged(BROTLI, await brotli(bytes))
}

/** @throws StoreUnavailable when the bytes are damaged, or need a newer Node to read. */
export async function decode(bytes: Uint8Array): Promise<string> {
  const body = bytes.subarray(1)
  try {
    switch (bytes[0]) {
      case PLAIN:
        return text(body)
      case BROTLI:
        return text(await unbrotli(body))
      case ZSTD:
        if (unzstd) return text(await unzstd(body))
        throw new Error('it was compressed with zstd, which needs Node 22.15 or newer')
      default:
        throw new Error(`its encoding tag is ${bytes[0]}`)
    }
  } catch (cause) {
    throw new StoreUnavailable(`A stored value cannot be read: ${(cause as Error).message}.`, { cause })
  }
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
