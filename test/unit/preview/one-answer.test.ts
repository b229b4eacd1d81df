import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../src/core/json.ts'
import { stringifyJson } from '../../../src/core/json-text.ts'
import { paced } from '../../../src/core/steps.ts'
import type { Content } from '../../../src/preview/content.ts'
import { contentOf } from '../../../src/preview/memory-content.ts'
import { type PartRendering, type RenderRequest, renderPart, Source } from '../../../src/preview/preview.ts'
import { SegmentContent } from '../../../src/preview/segment-content.ts'
import { jsonInText } from '../../../src/values/segments/json-in-text.ts'
import { SegmentReader } from '../../../src/values/segments/reader.ts'
import { shifted } from '../../../src/values/segments/segment-index.ts'
import { write } from '../values/segments/written.ts'
import { join } from './join.ts'
import { expectMarked } from './marks.ts'
import { json, sizeMode } from './values.ts'

const word = fc.constantFrom('plain', 'zwölf', '漢字', '🎉 go', '"quoted"', 'a\\b', 'two\nlines', '')
const sentence = fc.array(word, { minLength: 3, maxLength: 12 }).map(words => words.join(' '))
const record = fc.record(
  { id: fc.integer(), name: sentence, note: fc.oneof(sentence, fc.constant(null)), tags: fc.array(word) },
  { requiredKeys: ['id', 'name'] },
) as fc.Arbitrary<JsonObject>
const records = fc.array(record, { minLength: 40, maxLength: 90 })
const text = fc.array(sentence, { minLength: 60, maxLength: 140 }).map(lines => lines.join('\n'))
const beside = fc.record({ next: fc.option(word, { nil: null }), count: fc.integer() })

/** Values of some thousand characters of each kind. */
const value: fc.Arbitrary<JsonValue> = fc.oneof(
  records as fc.Arbitrary<JsonValue>,
  fc.tuple(records, sentence).map(([items, long]) => [...items, long.repeat(120), ...items.slice(0, 5)]),
  fc.array(json, { minLength: 40, maxLength: 80 }),
  records.map(items => Object.fromEntries(items.map((item, at) => [`key ${at}`, item]))),
  text,
  text.map(lines => `${lines}\n`),
  fc.tuple(text, sentence).map(([lines, long]) => `${lines}\n${long.repeat(150)}\nend\n`),
  fc.tuple(beside, records).map(([about, items]) => ({ ...about, 'a/b': { rows: items } })),
  fc.tuple(beside, text).map(([about, lines]) => ({ ...about, page: { content: `${lines}\n` } })),
  fc.tuple(records, records).map(([users, orders]) => ({ users, orders })),
  fc.tuple(beside, records).map(([about, items]) => JSON.stringify({ ...about, items })),
)

/** The same value: in memory, and in segments of which each holds a small part. */
async function both(given: JsonValue): Promise<[Content, Content]> {
  const length = (typeof given === 'string' ? given : stringifyJson(given)).length
  const segmentLength = Math.max(400, Math.floor(length / 12))
  const { reader, index, segments } = await write(given, segmentLength)
  const found = typeof given === 'string' ? await paced(jsonInText(given, segmentLength)) : undefined
  const asJson = found && {
    ...index,
    containers: [...index.containers, ...shifted(found.containers, { containers: 1, characters: 0 })],
    tables: found.tables,
    json: 1,
  }
  const opened = asJson ? new SegmentReader(asJson, async number => segments[number] as string) : reader
  return [await contentOf(new Source(given)), new SegmentContent(opened)]
}

const request = fc.record({
  sizeMode,
  maxSize: fc.integer({ min: 60, max: 900 }),
  dense: fc.boolean(),
})

async function pages(content: Content, request: RenderRequest): Promise<PartRendering[]> {
  const all: PartRendering[] = []
  for (let page = 1, total = 1; page <= total; page++) {
    const shown = await renderPart(content, { ...request, page })
    total = shown.totalPages!
    all.push(shown)
  }
  return all
}

/** Nobody looks whether a large text that is JSON has spaces in it, and what the rest costs goes by characters of its JSON. */
function comparable({ reformatted, restSize, ...shown }: PartRendering) {
  return shown
}

describe('a value in segments, and the same in memory', () => {
  it('have the same pages, totals and paths', async () => {
    await fc.assert(
      fc.asyncProperty(value, request, async (value, request) => {
        const [small, large] = await both(value)
        const [one, other] = [small, large].map(content => pages(content, { ...request, strategy: 'sample' }))
        const all = await one!
        expect((await other!).map(comparable)).toEqual(all.map(comparable))
        if (!request.dense && large.path === '' && typeof value === 'string' && !large.isReformatted)
          expect(join(all)).toBe(value)
      }),
      { numRuns: 40 },
    )
  })

  it('have the same pages of so many items', async () => {
    const asked = fc.record({
      page: fc.integer({ min: 1, max: 12 }),
      pageSize: fc.integer({ min: 1, max: 20 }),
    })
    await fc.assert(
      fc.asyncProperty(value, request, asked, async (value, request, asked) => {
        const answers = (await both(value)).map(content =>
          renderPart(content, { ...request, ...asked, strategy: 'sample' }).then(
            comparable,
            error => error as Error,
          ),
        )
        expect(await answers[1]).toEqual(await answers[0])
      }),
      { numRuns: 80 },
    )
  })

  it('have the same preview of an object with long texts, marks and all', async () => {
    const long = fc.tuple(fc.oneof(text, word), sentence).map(([lines, end]) => `${lines}\n${end.repeat(20)}`)
    const other = fc.oneof(
      word as fc.Arbitrary<JsonValue>,
      fc.integer(),
      fc.record({ note: long, at: fc.nat() }),
    )
    const object = fc.tuple(
      long,
      fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.oneof(long, other)),
      long,
    )
    await fc.assert(
      fc.asyncProperty(
        object,
        request,
        fc.constantFrom('sample', 'truncate'),
        async ([first, more, last], request, strategy) => {
          const contents = await both({ first, ...more, last } as JsonValue)
          const answers = contents.map(content => renderPart(content, { ...request, strategy }))
          const [one, other] = (await Promise.all(answers)) as [PartRendering, PartRendering]
          // What fits is given whole, and no part of it is rendered.
          fc.pre((one.originalSize ?? 0) > request.maxSize)
          expect(comparable(other)).toEqual(comparable(one))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('give a long text the room that a shorter one beside it leaves', async () => {
    // A token of it has six characters: more of it fits than of other texts.
    const lines = Array.from({ length: 400 }, () => ' plain'.repeat(8)).join('\n')
    const request = { maxSize: 500, sizeMode: 'token', strategy: 'sample' } as const
    const contents = await both({ first: 'two\n'.repeat(30), last: lines })
    const [one, other] = await Promise.all(contents.map(content => renderPart(content, request)))
    expect(comparable(other!)).toEqual(comparable(one!))
    expect(JSON.stringify(one!.preview).length).toBeGreaterThan(2_100)
  })

  it('have the odd row in their previews, and about as many others from everywhere', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1_999), fc.integer({ min: 1_500, max: 5_000 }), async (odd, maxSize) => {
        const rows = Array.from({ length: 2_000 }, (_, id) => ({
          id,
          level: id === odd ? 'fatal' : 'info',
          note: `neither long nor short ${(id * 7_919) % 97}`,
        }))
        const [one, other] = await Promise.all(
          (await both(rows)).map(async content => {
            const request = { maxSize, sizeMode: 'character', strategy: 'sample' } as const
            const { preview } = await renderPart(content, request)
            const shown = (preview as JsonValue[]).filter(isJsonObject)
            return { odd: shown.filter(row => row.level === 'fatal'), ids: shown.map(row => Number(row.id)) }
          }),
        )
        expect(other!.odd).toEqual(one!.odd)
        expect(other!.odd).toHaveLength(1)
        expect([other!.ids[0], other!.ids.at(-1)]).toEqual([0, 1_999])
        expect(Math.abs(other!.ids.length - one!.ids.length)).toBeLessThan(0.2 * one!.ids.length + 2)
        const gaps = other!.ids.slice(1).map((id, at) => id - other!.ids[at]!)
        expect(Math.max(...gaps)).toBeLessThan(2_000 / 4)
      }),
      { numRuns: 20 },
    )
  })

  it('have previews that differ in nothing but which rows they show', async () => {
    await fc.assert(
      fc.asyncProperty(
        value,
        request,
        fc.constantFrom('sample', 'truncate'),
        async (value, request, strategy) => {
          const shown: PartRendering[] = []
          for (const content of await both(value)) {
            const preview = await renderPart(content, { ...request, dense: false, strategy })
            const isJson = typeof value === 'string' && typeof preview.preview !== 'string'
            expectMarked(isJson ? (JSON.parse(value) as JsonValue) : value, preview.preview)
            expect(preview.previewSize).toBeLessThanOrEqual(request.maxSize)
            shown.push(preview)
          }
          const [one, other] = shown.map(preview => {
            const { preview: _, previewSize: __, lines: ___, ...facts } = comparable(preview)
            return facts
          })
          expect(other).toEqual(one)
        },
      ),
      { numRuns: 40 },
    )
  })
})
