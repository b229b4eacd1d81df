import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonValue } from '../../../src/core/json.ts'
import { stringifyJson } from '../../../src/core/json-text.ts'
import { type DenseTable, recordsOf } from '../../../src/preview/dense.ts'
import { type PartRendering, type RenderRequest, render, Source } from '../../../src/preview/preview.ts'
import { join } from './join.ts'
import { expectMarked } from './marks.ts'
import { large, rows, sizeMode, sizeOf } from './values.ts'

const records: fc.Arbitrary<JsonValue[]> = fc.array(
  fc.record(
    {
      identifierOfTheRecord: fc.integer(),
      descriptionOfTheRecord: fc.oneof(fc.string(), fc.constant(null)),
      nested: fc.oneof(fc.constant({ a: [1] }), fc.lorem()),
    },
    { requiredKeys: ['identifierOfTheRecord', 'descriptionOfTheRecord'] },
  ) as fc.Arbitrary<JsonValue>,
  { minLength: 5, maxLength: 60 },
)
const values = fc.oneof(
  records,
  records.map(items => JSON.stringify(items, null, 1)),
  records.map(items => ({ items, note: 'n' })),
  large,
)

async function part(
  source: Source,
  request: Omit<RenderRequest, 'strategy' | 'dense'>,
): Promise<PartRendering> {
  const shown = await render(source, { ...request, strategy: 'sample', dense: true })
  if (shown.kind !== 'part') throw new Error('it fits whole')
  return shown
}

/** What is shown, as it would be without tables. */
function plain({ preview, isDense }: PartRendering): JsonValue {
  return isDense ? recordsOf(preview as unknown as DenseTable) : preview
}

describe('records that are shown as a table', () => {
  it('are in pages together the list exactly, each within the budget', async () => {
    let tables = 0
    const budget = fc.integer({ min: 30, max: 900 })
    const pageSize = fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined })
    await fc.assert(
      fc.asyncProperty(records, sizeMode, budget, pageSize, async (value, sizeMode, maxSize, pageSize) => {
        const source = new Source(value)
        const request = { maxSize, sizeMode, ...(pageSize ? { pageSize } : {}) }
        const all: PartRendering[] = []
        for (let page = 1, last = 1; page <= last; page++) {
          const shown = await part(source, { ...request, page }).catch(error => {
            expect([pageSize === undefined, error.code]).toEqual([false, 'answer_too_large'])
            return undefined
          })
          if (!shown) return
          last = shown.totalPages!
          expect(sizeOf(shown.preview, sizeMode)).toBe(shown.previewSize)
          expect(shown.previewSize).toBeLessThanOrEqual(maxSize)
          if (shown.isDense) tables++
          all.push({ ...shown, preview: plain(shown) })
        }
        expect(stringifyJson(join(all))).toBe(stringifyJson(value))
      }),
      { numRuns: 150 },
    )
    expect(tables).toBeGreaterThan(30)
  })

  it('never exceed the budget of a preview, and leave nothing out without a mark', async () => {
    let tables = 0
    await fc.assert(
      fc.asyncProperty(
        values,
        sizeMode,
        fc.integer({ min: 20, max: 900 }),
        async (value, sizeMode, maxSize) => {
          const shown = await render(new Source(value), {
            maxSize,
            sizeMode,
            strategy: 'sample',
            dense: true,
          })
          if (shown.kind === 'whole') return
          expect(sizeOf(shown.preview, sizeMode)).toBeLessThanOrEqual(maxSize)
          if (shown.isDense) tables++
          const read =
            typeof value === 'string' && typeof shown.preview !== 'string' ? JSON.parse(value) : value
          expectMarked(read, plain(shown))
        },
      ),
      { numRuns: 300 },
    )
    expect(tables).toBeGreaterThan(10)
  })

  it('show more rows for the same budget, and need fewer pages', async () => {
    const request = { maxSize: 500, sizeMode: 'token' } as const
    const source = new Source(rows(300))
    const dense = await part(source, request)
    const usual = await render(source, { ...request, strategy: 'sample' })
    const countOf = (list: JsonValue) => (list as JsonValue[]).filter(item => typeof item === 'object').length
    expect(dense.isDense).toBe(true)
    expect(countOf(plain(dense))).toBeGreaterThan(1.2 * countOf(usual.kind === 'part' ? usual.preview : []))
    const first = await part(source, { ...request, page: 1 })
    const plainFirst = await render(source, { ...request, strategy: 'sample', page: 1 })
    expect(first.totalPages).toBeLessThan((plainFirst as PartRendering).totalPages!)
  })

  it('say about what the pages that follow cost', async () => {
    const source = new Source(rows(300))
    const sizes: number[] = []
    const rests: number[] = []
    for (let page = 1, last = 1; page <= last; page++) {
      const shown = await part(source, { maxSize: 900, sizeMode: 'token', page })
      last = shown.totalPages!
      sizes.push(shown.previewSize)
      rests.push(shown.restSize!)
    }
    const following = (at: number) => sizes.slice(at + 1).reduce((sum, size) => sum + size, 0)
    expect(sizes.length).toBeGreaterThan(3)
    for (const [at, rest] of rests.entries())
      expect(Math.abs(rest - following(at))).toBeLessThan(following(at) * 0.1 + 40)
    expect(rests.at(-1)).toBe(0)
  })
})
