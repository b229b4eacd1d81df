import { describe, expect, it } from 'vitest'
import type { JsonValue } from '../../../../src/core/json.ts'
import { searchDocument } from '../../../../src/values/search/search.ts'
import { wholeDocument } from '../../../../src/values/segments/whole-document.ts'

const search = async (value: JsonValue, wanted: string, context?: number) =>
  searchDocument(await wholeDocument(value), { search: wanted, context })

const log = Array.from({ length: 1_000 }, (_, at) =>
  at % 100 === 11 ? `ERROR at ${at}` : `info ${at}`,
).join('\n')

describe('a search in a text', () => {
  it('gives each line that contains the text, with its number', async () => {
    const found = await search(log, 'ERROR')
    expect(found).toMatchObject({ matched: 10, lines: 1_000 })
    expect((found.matches as string[])[0]).toBe('12: ERROR at 11')
    expect(await search(log, 'error')).toEqual({ matched: 0, lines: 1_000, matches: [] })
    expect(await search('a\r\nb\r\n', '/^b$/')).toEqual({ matched: 1, lines: 2, matches: ['2: b'] })
  })

  it('takes expressions with flags', async () => {
    expect(await search(log, '/error at \\d{3}$/i')).toMatchObject({ matched: 9 })
    expect(await search('a/b\nc', '/a\\/b/')).toMatchObject({ matches: ['1: a/b'] })
    // No expression: what follows the last slash are no flags.
    expect(await search('see /usr/bin\n', '/usr/bin')).toMatchObject({ matched: 1 })
    expect(await search('one\n\ntwo', '/^$/')).toMatchObject({ matches: ['2: '] })
  })

  it('shows what stands around, and what overlaps once', async () => {
    const text = Array.from({ length: 12 }, (_, at) => ([3, 5, 9].includes(at) ? `x${at}` : `${at}`)).join(
      '\n',
    )
    expect((await search(text, 'x', 1)).matches).toEqual([
      '3- 2\n4: x3\n5- 4\n6: x5\n7- 6',
      '9- 8\n10: x9\n11- 10',
    ])
    expect((await search(text, 'x', 2)).matches).toEqual([
      '2- 1\n3- 2\n4: x3\n5- 4\n6: x5\n7- 6\n8- 7\n9- 8\n10: x9\n11- 10\n12- 11',
    ])
  })

  it('counts every match in what is long, and shows those that stand close together once', async () => {
    for (const wanted of ['needle', '/needle/', '/ne{2}dle/']) {
      const found = (await search('needle and '.repeat(40_000), wanted)) as {
        matched: number
        matches: string[]
      }
      expect(found.matched).toBe(40_000)
      expect(found.matches.length).toBeLessThan(4_000)
    }
    expect(
      await search(['x'.repeat(500), 'needle needle', `${'needle '.repeat(100)}`], 'needle'),
    ).toMatchObject({
      matched: 101,
    })
  })

  it('shows the neighbourhood of each match in one huge line', async () => {
    const line = `${'a'.repeat(100_000)}needle${'b'.repeat(300_000)}needle${'c'.repeat(65_536 - 3)}needle`
    for (const wanted of ['needle', '/ne+dle/']) {
      const { matched, matches } = (await search(line, wanted)) as { matched: number; matches: string[] }
      expect(matched).toBe(3)
      expect(matches[0]).toBe(`1: …${'a'.repeat(120)}needle${'b'.repeat(120)}…`)
      expect(matches[2]).toBe(`1: …${'c'.repeat(120)}needle`)
    }
    // The beginning and the end of a window are not those of the line.
    expect(await search(line, '/^b|b$|^c/')).toMatchObject({ matched: 0 })
    expect(await search(`${line}\n${line}`, '/^a/')).toMatchObject({ matched: 2, lines: 2 })
  })

  it('is linear for the expressions that ruin others', async () => {
    const evil = 'a'.repeat(50_000)
    for (const wanted of ['/(a+)+$x/', '/(a|aa)+b/', '/(.*a){20}b/', '/^(([a-z])+.)+[A-Z]([a-z])+$/']) {
      expect(await search(evil, wanted), wanted).toMatchObject({ matched: 0 })
    }
  }, 60_000)

  it('says what is wrong with an expression', async () => {
    for (const wanted of ['/(/', '/(?=a)/', '/(a)\\1/', '', 'x'.repeat(1_001)]) {
      await expect(search('a', wanted), wanted).rejects.toMatchObject({ code: 'invalid_argument' })
    }
  })
})

describe('a search in JSON', () => {
  const rows = Array.from({ length: 2_000 }, (_, id) => ({
    id,
    name: id === 311 ? 'the "needle"' : `row ${id}`,
  }))

  it('gives items of a list, with their pointers', async () => {
    expect(await search(rows, 'the "needle"')).toEqual({
      matched: 1,
      items: 2_000,
      matches: ['/311: {"id":311,"name":"the \\"needle\\""}'],
    })
    expect(await search(rows, '/"id":31[01]\\b/')).toMatchObject({ matched: 2 })
    expect(await search([], 'x')).toEqual({ matched: 0, items: 0, matches: [] })
  })

  it('gives items of the lists of an object, and its other members', async () => {
    const value = {
      meta: { title: 'needle one', n: 5 },
      data: { rows, 'a/b': ['x', 'needle'] },
      text: `${'x'.repeat(9_000)}needle`,
    }
    const { matches } = (await search(value, 'needle')) as { matches: string[] }
    expect(matches.map(match => match.slice(0, match.indexOf(':')))).toEqual([
      '/meta/title',
      '/data/rows/311',
      '/data/a~1b/1',
      '/text',
    ])
    expect(await search(JSON.stringify(value, null, 2), 'needle')).toMatchObject({ matched: 4 })
  })

  it('shows the items around', async () => {
    expect((await search([1, 2, 3, 4], '3', 1)).matches).toEqual(['/1- 2\n/2: 3\n/3- 4'])
  })
})
