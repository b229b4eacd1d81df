import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeText } from '../../../src/values/describe-text.ts'
import { TextPieces } from '../../../src/values/text-pieces.ts'

const texts = fc.array(
  fc
    .array(
      fc.constantFrom('', '2026-01-01 10:00:00 INFO ready', 'ERROR failed', 'prose, "that" goes on', '\n'),
      {
        maxLength: 20,
      },
    )
    .map(lines => lines.join('\n')),
)

describe('texts that are one text together', () => {
  it('are read in pieces and in lines as the text that they are', () =>
    fc.assert(
      fc.property(texts, fc.nat(100), (texts, length) => {
        const joined = new TextPieces(texts)
        const whole = texts.join('\n\n')
        expect(joined.toString()).toBe(whole)
        expect(joined.length).toBe(whole.length)
        expect([...joined.all()].join('')).toBe(whole)
        expect(joined.beginning(length)).toBe(whole.slice(0, length))
        expect(joined.slice(length, 2 * length)).toBe(whole.slice(length, 2 * length))
        expect(joined.countBreaks(length, 2 * length)).toBe(
          whole.slice(length, 2 * length).split('\n').length - 1,
        )
        expect([...joined.lines()]).toEqual(whole.match(/.*\n|.+$/g) ?? [])
      }),
    ))

  it('are described as that text', () =>
    fc.assert(
      fc.asyncProperty(texts, async texts => {
        expect(await describeText(new TextPieces(texts))).toEqual(
          await describeText(new TextPieces([texts.join('\n\n')])),
        )
      }),
    ))
})
