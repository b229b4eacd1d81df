import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { JsonReader } from '../../../src/core/json-reader.ts'
import { parseJson, stringifyJson } from '../../../src/core/json-text.ts'

function read(text: string, length = text.length) {
  const reader = new JsonReader()
  for (let at = 0; at < text.length; at += length) reader.push(text.slice(at, at + length))
  return reader.end()
}

describe('JSON that arrives in pieces', () => {
  it('is read as if it came at once, wherever the pieces end', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom(0, 1, 2),
        (value, length, space) => {
          const text = JSON.stringify(value, undefined, space)
          expect(read(text, length)).toEqual(parseJson(text))
        },
      ),
    )
  })

  it.each([
    ['a text of several pieces', JSON.stringify('a "quoted" \\ text\u{1f600}\n'.repeat(5_000))],
    ['a text of nothing but escapes', `"${'\\\\'.repeat(20_000)}"`],
    ['escaped surrogates', `"${'\\ud83d\\ude00'.repeat(5_000)}"`],
    ['a long list', JSON.stringify(Array.from({ length: 5_000 }, (_, i) => ({ i, text: `row ${i}` })))],
    ['a long key', JSON.stringify({ ['k'.repeat(50_000)]: 1 })],
    ['a long list of lists', JSON.stringify(Array.from({ length: 60 }, () => Array(200).fill([1, 'x'])))],
    ['digits', `[${'0.50,12345678901234567890,1e400,-0,'.repeat(1_000)}1]`],
    ['depth', `${'[{"a":'.repeat(10_000)}1${'}]'.repeat(10_000)}`],
    ['a member named __proto__', `{"__proto__":{"a":1},"x":"${'y'.repeat(20_000)}"}`],
    ['empty containers', `[${'[],{},[ ],{ },'.repeat(2_000)}[]]`],
    ['a word', 'true'],
    ['a number', '12'],
  ])('may hold %s', (_, text) => {
    for (const length of [7, 999, 8_192, text.length]) {
      expect(stringifyJson(read(text, length))).toBe(stringifyJson(parseJson(text)))
    }
  })

  it.each([
    '',
    '[',
    '[1',
    '[1,]',
    '[,1]',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{a:1}',
    '[1}',
    '{"a":1]',
    '1 2',
    'nul',
    '[NaN]',
    '"a',
    '"\n"',
    '01',
  ])('that is none is refused: %j', broken => {
    expect(() => read(broken, 1)).toThrow(SyntaxError)
    const list = `[${'[1],'.repeat(3_000)}`
    for (const text of [`${list}${broken}`, `${list}${broken} 1]`]) {
      if (broken !== '') expect(() => read(text, 1_000)).toThrow(SyntaxError)
    }
  })

  it('is never parsed as a whole', () => {
    const text = JSON.stringify({
      result: { text: 'a text with\n lines'.repeat(100_000), rows: Array(50_000).fill({ a: 'b' }) },
    })
    const parse = vi.spyOn(JSON, 'parse')
    read(text, 64 * 1024)
    const longest = Math.max(...parse.mock.calls.map(([piece]) => String(piece).length))
    parse.mockRestore()
    expect(longest).toBeLessThan(128 * 1024)
  })
})
