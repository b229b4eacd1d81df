import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject, JsonValue } from '../../../src/core/json.ts'
import { render, renderPart, Source } from '../../../src/preview/preview.ts'
import { SegmentContent } from '../../../src/preview/segment-content.ts'
import { SegmentReader } from '../../../src/values/segments/reader.ts'
import { write } from '../values/segments/written.ts'
import { expectMarked } from './marks.ts'
import { large, sizeMode, sizeOf } from './values.ts'

async function opened(value: JsonValue, segmentLength?: number) {
  const written = await write(value, segmentLength)
  return { ...written, content: new SegmentContent(written.reader) }
}

function records(count: number): JsonObject[] {
  return Array.from({ length: count }, (_, id) => ({
    id,
    name: `record ${id}`,
    level: id === 4321 ? 'fatal' : id % 2 ? 'info' : 'warn',
    note: 'neither long nor short, and the same everywhere',
  }))
}

describe('a preview of a value in segments', () => {
  it('stays within its budget and marks all that it leaves out, whatever the value', async () => {
    const request = fc.record({
      strategy: fc.constantFrom('sample', 'truncate'),
      sizeMode,
      maxSize: fc.integer({ min: 20, max: 400 }),
    })
    const segmentLength = fc.integer({ min: 20, max: 400 })
    await fc.assert(
      fc.asyncProperty(large, request, segmentLength, async (value, request, length) => {
        fc.pre(typeof value === 'object' && value !== null && JSON.stringify(value).length > length)
        const { content } = await opened(value, length)
        const { preview, previewSize } = await renderPart(content, request)
        expect(previewSize).toBeLessThanOrEqual(request.maxSize)
        expect(sizeOf(preview as JsonValue, request.sizeMode)).toBe(previewSize)
        expectMarked(value, preview as JsonValue)
      }),
      { numRuns: 200 },
    )
  })

  it('reads some segments, names true positions, and has the shape of all rows', async () => {
    const value = records(40_000)
    const { content, loaded, segments } = await opened(value)
    const request = { maxSize: 1000, sizeMode: 'token', strategy: 'sample' } as const
    const answer = await renderPart(content, request)
    expect(segments.length).toBeGreaterThan(30)
    expect(new Set(loaded).size).toBeLessThan(30)
    expectMarked(value, answer.preview as JsonValue)
    const whole = await render(new Source(value), request)
    expect(answer).toMatchObject({ totalItems: 40_000, shape: 'shape' in whole && whole.shape })
    expect(JSON.stringify(answer.preview)).toContain('"level":"fatal"')
    expect(answer.previewSize).toBeGreaterThan(700)
  })

  it('has the same tables, however deep they lie, and the path of the main one', async () => {
    const value = {
      meta: { pages: 3 },
      data: { 'the/rows': records(8_000), tags: ['a', 'b', 'c'] },
      users: Object.fromEntries(records(4_000).map(record => [`user-${record.id}`, record])),
    }
    const { content, index } = await opened(value)
    expect(index.tables?.map(({ name, shape }) => [name, shape.rows])).toEqual([
      ['users', 4_000],
      ['the/rows', 8_000],
      ['tags', 3],
    ])
    const request = { maxSize: 2000, sizeMode: 'token', strategy: 'sample' } as const
    const answer = await renderPart(content, request)
    expectMarked(value, answer.preview as JsonValue)
    const whole = await render(new Source(value), request)
    expect(answer.shape).toEqual('shape' in whole && whole.shape)
  })

  it('counts tables that nobody has counted when it is shown', async () => {
    const value = { rows: records(12_000), tags: ['a', 'b', 'c'] }
    const { index, segments } = await opened(value)
    const { tables, ...before } = index
    const reader = new SegmentReader(before, async segment => segments[segment] as string)
    expect(await new SegmentContent(reader).tables()).toEqual(tables)
  })

  it('says how long a text is of which it shows the beginning', async () => {
    const text = 'a line with "quotes" and äöü\n'.repeat(60_000)
    const { content } = await opened({ text, other: 1 })
    const answer = await renderPart(content, { maxSize: 500, sizeMode: 'token', strategy: 'sample' })
    expectMarked({ text, other: 1 }, answer.preview as JsonValue)
    expect(answer.preview).toMatchObject({ other: 1 })
  })
})
