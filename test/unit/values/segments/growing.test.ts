import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvalidArgument, ValueTooLarge } from '../../../../src/core/errors.ts'
import type { JsonValue } from '../../../../src/core/json.ts'
import { countLines } from '../../../../src/core/lines.ts'
import type { Piece } from '../../../../src/core/piece.ts'
import { atOnce, paced } from '../../../../src/core/steps.ts'
import { countTables } from '../../../../src/values/counted-tables.ts'
import { describeText } from '../../../../src/values/describe-text.ts'
import { GrowingValue } from '../../../../src/values/segments/growing.ts'
import { SegmentReader } from '../../../../src/values/segments/reader.ts'
import { tablesOf } from '../../../../src/values/tables.ts'
import { TextPieces } from '../../../../src/values/text-pieces.ts'

const MAX_BYTES = 1024 * 1024

const items = (...list: JsonValue[]): Piece => ({
  kind: 'items',
  json: JSON.stringify(list).slice(1, -1),
  count: list.length,
})
const text = (piece: string): Piece => ({ kind: 'text', text: piece })

/** Reads what there is as any other value. */
function readSoFar(value: GrowingValue, segments: readonly string[]): Promise<JsonValue> {
  const { index, tail } = value.soFar()
  expect(index.segments).toEqual([...segments, tail].map(({ length }) => length))
  return paced(new SegmentReader(index, async position => segments[position] ?? tail).value())
}

async function readEnded(value: GrowingValue, before: readonly string[]): Promise<JsonValue> {
  const ended = value.end()
  if ('json' in ended) return JSON.parse(ended.json) as JsonValue
  const all = [...before, ...ended.segments]
  expect(ended.index.segments).toEqual(all.map(({ length }) => length))
  const reader = new SegmentReader(ended.index, async position => all[position] as string)
  const json = await paced(reader.json())
  expect(Buffer.byteLength(json)).toBe(ended.jsonBytes)
  return paced(reader.value())
}

const json = fc.jsonValue({ maxDepth: 4, stringUnit: 'grapheme' }) as fc.Arbitrary<JsonValue>
const segmentLength = fc.integer({ min: 16, max: 200 })

describe('a value that grows', () => {
  it('is at every moment the list of what was appended', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(json, { maxLength: 6 }), { maxLength: 12 }),
        segmentLength,
        async (lists, length) => {
          const value = new GrowingValue('items', { maxBytes: MAX_BYTES, segmentLength: length })
          const segments: string[] = []
          const all: JsonValue[] = []
          for (const list of lists) {
            segments.push(...value.push(items(...list)))
            all.push(...list)
            expect(value.available).toBe(all.length)
            const { index, jsonBytes } = value.soFar()
            expect(index.containers[0]).toMatchObject({ kind: 'list', count: all.length })
            expect(jsonBytes).toBe(Buffer.byteLength(JSON.stringify(all)))
            expect(await readSoFar(value, segments)).toEqual(JSON.parse(JSON.stringify(all)))
          }
          expect(await readEnded(value, segments)).toEqual(JSON.parse(JSON.stringify(all)))
        },
      ),
    )
  })

  it('is at every moment the text that was appended, whole characters alone', async () => {
    const pieces = fc.array(fc.string({ unit: fc.constantFrom('a', '\n', 'ä', '🎉', '"') }), {
      maxLength: 20,
    })
    await fc.assert(
      fc.asyncProperty(pieces, fc.integer({ min: 1, max: 3 }), segmentLength, async (parts, cut, length) => {
        const value = new GrowingValue('text', { maxBytes: MAX_BYTES, segmentLength: length })
        const segments: string[] = []
        const whole = parts.join('')
        // A character may arrive in two halves.
        for (let at = 0; at < whole.length; at += cut) {
          segments.push(...value.push(text(whole.slice(at, at + cut))))
          const soFar = String(await readSoFar(value, segments))
          expect(whole.startsWith(soFar)).toBe(true)
          expect(soFar.length).toBeGreaterThanOrEqual(Math.min(whole.length, at + cut) - 1)
          expect(value.available).toBe(countLines(soFar))
          expect(value.soFar().index.containers[0]).toMatchObject({ kind: 'text', count: countLines(soFar) })
        }
        expect(await readEnded(value, segments)).toBe(whole)
      }),
    )
  })

  it('refuses what cannot be part of it, and stays as it was', async () => {
    const list = new GrowingValue('items', { maxBytes: 40 })
    list.push(items(1, 2))
    expect(() => list.push(text('3'))).toThrow(InvalidArgument)
    expect(() => list.push(items('x'.repeat(40)))).toThrow(ValueTooLarge)
    list.push(items(3))
    expect(await readEnded(list, [])).toEqual([1, 2, 3])
    const lone = new GrowingValue('text', { maxBytes: MAX_BYTES })
    expect(() => lone.push(text('a\udf89b'))).toThrow(InvalidArgument)
    lone.push(text('a\ud83c'))
    expect(() => lone.end()).toThrow(InvalidArgument)
    lone.push(text('\udf89'))
    expect(await readEnded(lone, [])).toBe('a🎉')
  })

  it('may be empty', async () => {
    const list = new GrowingValue('items', { maxBytes: MAX_BYTES })
    list.push(items())
    expect(await readSoFar(list, [])).toEqual([])
    expect(await readEnded(list, [])).toEqual([])
    expect(await readEnded(new GrowingValue('text', { maxBytes: MAX_BYTES }), [])).toBe('')
  })
})

describe('what is known of a value that has grown', () => {
  const log = Array.from({ length: 3_000 }, (_, n) =>
    n === 1_234 ? '12:00:01 ERROR it broke' : `12:00:01 INFO request ${n}`,
  ).join('\n')
  const jsonLines = Array.from({ length: 3_000 }, (_, id) => JSON.stringify({ id, odd: id === 7 })).join('\n')
  const prose = 'It was a dark and stormy night.\n'.repeat(3_000)

  it.each([
    ['a log', log],
    ['JSON lines', jsonLines],
    ['prose', prose],
  ])('is what a reader of all of %s finds', async (_, whole) => {
    const value = new GrowingValue('text', { maxBytes: MAX_BYTES, segmentLength: 5_000 })
    for (let at = 0; at < whole.length; at += 777) {
      value.push(text(whole.slice(at, at + 777)))
      // Nobody has to read all of it to show it.
      expect(value.soFar().index).toMatchObject({ tables: expect.any(Array), lines: expect.any(Array) })
    }
    const ended = value.end()
    expect('index' in ended && { tables: ended.index.tables, lines: ended.index.lines }).toEqual(
      await describeText(new TextPieces([whole])),
    )
  })

  it('is left for who reads all of it, where only that tells: CSV, or a text that may be JSON', () => {
    const csv = Array.from({ length: 3_000 }, (_, id) => `${id},name ${id},2026-01-01,7`).join('\n')
    for (const whole of [`id,name,day,n\n${csv}`, JSON.stringify({ text: log }, null, 1)]) {
      const value = new GrowingValue('text', { maxBytes: MAX_BYTES, segmentLength: 5_000 })
      value.push(text(whole))
      expect(value.soFar().index).toMatchObject({ tables: [], lines: [] })
      const ended = value.end()
      expect('index' in ended && ended.index.lines).toBe(undefined)
    }
  })

  it('has the shape of a list', () => {
    const rows = Array.from({ length: 500 }, (_, id) => ({ id, level: id % 9 === 0 ? 'error' : 'info' }))
    const value = new GrowingValue('items', { maxBytes: MAX_BYTES, segmentLength: 2_000 })
    for (const row of rows) value.push(items(row))
    const expected = atOnce(countTables(tablesOf(rows)))
    expect(value.soFar().index.tables).toEqual(expected)
    const ended = value.end()
    expect('index' in ended && ended.index.tables).toEqual(expected)
  })
})
