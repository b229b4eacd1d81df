import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonValue } from '../../../src/core/json.ts'
import { embeddedJson } from '../../../src/preview/embedded-json.ts'
import { render, Source } from '../../../src/preview/preview.ts'
import { json, prose, rows } from './values.ts'

const read = async (text: string) => await embeddedJson(new Source(text))

describe('a text that is JSON', () => {
  it('is read as the list or object that it is, however it is spaced', async () => {
    await fc.assert(
      fc.asyncProperty(json, fc.constantFrom(undefined, 1, '\t'), async (value, indent) => {
        const found = await read(` ${JSON.stringify(value, null, indent)}\n`)
        if (typeof value !== 'object' || value === null) expect(found).toBeUndefined()
        else {
          expect(found?.json).toBe(JSON.stringify(value))
        }
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    ['[1.0]', '[1.0]'],
    ['[ 1e2, 100e-2]', '[1e2,100e-2]'],
    ['{"a":"\\u0041"}', '{"a":"A"}'],
    ['["\\/"]', '["/"]'],
    ['[0.10, -0.0e1, -0]', '[0.10,-0.0e1,-0]'],
    ['[12345678901234567890]', '[12345678901234567890]'],
    ['[0.10000000000000000555, 1e400, 1e-400]', '[0.10000000000000000555,1e400,1e-400]'],
  ])('keeps the digits of its numbers: %s', async (text, json) => {
    expect((await read(text))?.json).toBe(json)
  })

  it.each([
    '{"a":1,"a":2}',
    '{"a":{"b":1,"b":1}}',
    '{"b":1,"1":2}',
    '[1,]',
    '[INFO] not JSON]',
    '{}}',
    '"text"',
    '12',
    '',
    '[',
    `${'['.repeat(600)}${']'.repeat(600)}`,
    `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
  ])('is text where reading it would lose something: %.40s', async text => {
    expect(await read(text)).toBeUndefined()
  })

  it('is previewed and paged as its value, and whole it is the text', async () => {
    const text = JSON.stringify(rows(300), null, 2)
    const source = new Source(text)
    const request = { sizeMode: 'token', strategy: 'sample', maxSize: 300 } as const
    expect(await render(source, request)).toMatchObject({ totalItems: 300, preview: expect.any(Array) })
    const first = await render(source, { ...request, page: 1 })
    expect(first).toMatchObject({ pageUnit: 'items', totalItems: 300 })
    expect((first as { preview: JsonValue[] }).preview[0]).toEqual(rows(1)[0])
    expect(await render(source, { ...request, maxSize: 1_000_000 })).toMatchObject({
      kind: 'whole',
      value: text,
    })
  })

  it('says where it is shown in another form than the text has', async () => {
    const request = { sizeMode: 'token', strategy: 'sample', maxSize: 300 } as const
    for (const asked of [request, { ...request, page: 1 }]) {
      const pretty = await render(new Source(JSON.stringify(rows(300), null, 2)), asked)
      expect(pretty).toMatchObject({ reformatted: true })
      expect(await render(new Source(JSON.stringify(rows(300))), asked)).not.toHaveProperty('reformatted')
      expect(await render(new Source(prose(9_000)), asked)).not.toHaveProperty('reformatted')
    }
  })
})
