import zlib from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { decode, encode, parseStored } from '../../../src/core/codec.ts'
import { NotSerializable, UnreadableValue, ValueTooLarge } from '../../../src/core/errors.ts'
import { parseJson } from '../../../src/core/json-text.ts'
import { encodeValue } from '../../../src/values/segments/encode.ts'

const PLAIN = 0
const BROTLI = 1
const ZSTD = 2
const COMPRESS_FROM_BYTES = 64 * 1024

describe('text as bytes of a store', () => {
  it.each<[string, string]>([
    ['nothing', ''],
    ['a short text', '{"a":1}'],
    ['letters of several bytes', '"äöü 漢字 🎉"'],
    ['a long text', JSON.stringify('row '.repeat(50_000))],
    ['a long text of letters of several bytes', JSON.stringify('漢字'.repeat(30_000))],
  ])('comes back as it was: %s', async (_, text) => {
    for (const compress of [true, false]) expect(await decode(await encode(text, { compress }))).toBe(text)
  })

  it.each([
    [COMPRESS_FROM_BYTES - 1, true, PLAIN],
    [COMPRESS_FROM_BYTES, true, BROTLI],
    [COMPRESS_FROM_BYTES, false, PLAIN],
    [COMPRESS_FROM_BYTES * 10, false, PLAIN],
  ])('of %i bytes, compress %s, has the tag %i', async (length, compress, tag) => {
    const bytes = await encode('x'.repeat(length), { compress })
    expect(bytes[0]).toBe(tag)
    if (tag === PLAIN) expect(bytes).toHaveLength(length + 1)
    else expect(bytes.length).toBeLessThan(length / 2)
  })

  it('is the plain text behind its tag where it is not compressed', async () => {
    expect(Buffer.from(await encode('{"a":"ä"}', { compress: true })).toString('utf8')).toBe('\0{"a":"ä"}')
  })

  it('is read out of the middle of a larger buffer', async () => {
    const bytes = await encode('"here"', { compress: false })
    const larger = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')])
    expect(await decode(larger.subarray(6, 6 + bytes.length))).toBe('"here"')
  })
})

describe('bytes that cannot be read', () => {
  it.each<[string, number[], RegExp]>([
    [
      'an unknown tag',
      [9, 1, 2],
      /call the tool.*\(it is encrypted, or of another version: its encoding tag is 9\)/i,
    ],
    ['nothing at all', [], /encoding tag is undefined/],
    ['damaged brotli', [BROTLI, 255, 255, 255], /cannot be read/],
  ])('say so, with the reason: %s', async (_, bytes, message) => {
    const error = await decode(Uint8Array.from(bytes)).catch(error => error)
    expect(error).toBeInstanceOf(UnreadableValue)
    expect(error.message).toMatch(message)
    expect(error.cause).toBeInstanceOf(Error)
  })

  it('of zstd are read where Node can, else they say which Node can', async () => {
    const { zstdCompressSync } = zlib as { zstdCompressSync?: (text: string) => Uint8Array }
    const body = zstdCompressSync?.('"zstd"') ?? Buffer.from('whatever')
    const outcome = await decode(Buffer.concat([Uint8Array.of(ZSTD), body])).catch(error => error)
    if (zstdCompressSync) expect(outcome).toBe('"zstd"')
    else expect(outcome.message).toMatch(/zstd.*Node 22\.15/)
  })
})

describe('a stored text', () => {
  it('is parsed, with the digits of its numbers', () => {
    expect(String((parseStored('[0.50]') as unknown[])[0])).toBe('0.50')
    expect(parseStored('[1]', JSON.parse)).toEqual([1])
  })

  it('that is no JSON any more is a damaged value', () => {
    expect(() => parseStored('{"a":')).toThrow(UnreadableValue)
    expect(() => parseStored('{"a":')).toThrow(/damaged/)
  })
})

describe('a value', () => {
  const encoding = { maxBytes: 10, compress: false }

  it('is measured in bytes of its JSON, not in letters', async () => {
    const { bytes, valueBytes } = await encodeValue('äö', encoding)
    expect([valueBytes, bytes.length]).toEqual([6, 7])
  })

  it('may have just as many bytes as the limit', async () => {
    expect((await encodeValue('x'.repeat(8), encoding)).valueBytes).toBe(10)
    for (const tooLong of ['x'.repeat(9), 'ä'.repeat(5)]) {
      const error = await encodeValue(tooLong, encoding).catch(error => error)
      expect(error).toBeInstanceOf(ValueTooLarge)
      expect(error.message).toMatch(/more than 10 bytes.*maxValueBytes/)
    }
  })

  it('is made JSON of; verbatim it is JSON already and keeps its digits', async () => {
    await expect(encodeValue(() => 1, encoding)).rejects.toThrow(NotSerializable)
    const date = new Date(0)
    const large = { maxBytes: 1000, compress: false }
    expect(await decode((await encodeValue({ date }, large)).bytes)).toBe(
      '{"date":"1970-01-01T00:00:00.000Z"}',
    )
    expect(await decode((await encodeValue(parseJson('[1.0]'), large, { verbatim: true })).bytes)).toBe(
      '[1.0]',
    )
  })

  it('whose JSON no text can hold is too large; other errors pass', async () => {
    const throwing = (error: Error) => ({
      toJSON: () => {
        throw error
      },
    })
    const tooLong = new RangeError('Invalid string length')
    const error = await encodeValue(throwing(tooLong), encoding).catch(error => error)
    expect(error).toBeInstanceOf(ValueTooLarge)
    expect(error).toMatchObject({ message: expect.stringMatching(/Return less/), cause: tooLong })
    for (const other of [new RangeError('Invalid array length'), new Error('Invalid string length')]) {
      await expect(encodeValue(throwing(other), encoding)).rejects.not.toThrow(ValueTooLarge)
    }
  })
})
