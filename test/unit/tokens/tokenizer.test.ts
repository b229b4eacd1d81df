import fc from 'fast-check'
import { countTokens as libraryCount } from 'gpt-tokenizer/encoding/o200k_base'
import { beforeAll, describe, expect, it } from 'vitest'
import { atOnce, type Steps } from '../../../src/core/steps.ts'
import { wholeCharacters } from '../../../src/preview/truncate.ts'
import { countTokens, loadTokenizer, type Tokenizer } from '../../../src/tokens/tokenizer.ts'
import { anyText } from '../../any-text.ts'

const plainText = { disallowedSpecial: new Set<string>() }
const expected = (text: string) => libraryCount(text, plainText)

let tokenizer: Tokenizer
beforeAll(async () => {
  tokenizer = await loadTokenizer()
})
const count = (text: string, limit?: number) => atOnce(tokenizer.count(text, limit))

/** What the pattern treats specially, so that random strings meet it often. */
const fragment = fc.constantFrom(
  ...[
    "'s",
    "'LL",
    "'Ve",
    "'",
    'a',
    'B',
    'ab',
    'AB',
    'Ab',
    ' ',
    '  ',
    '\n',
    '\r\n',
    '\t',
    '/',
    '//',
    '\u00a0',
  ],
  ...[
    'é',
    'e\u0301',
    '\u0301',
    '\u0300\u0301',
    'ǅ',
    'ʰ',
    '中文',
    'ह',
    '한',
    'ſ',
    'K',
    'ẞ',
    '𝐀',
    '𝐚',
    '𝟎',
    '٣',
    '½',
  ],
  ...['1', '123', '4567', '.', '...', '!?', '"', '\\', '\\n', '{"', '":', '},{', '[]', '😀', '👨‍👩‍👧', '🇩🇪'],
  ...[
    '\ud800',
    '\udc00',
    '\ufffd',
    '\u2028',
    '\u200b',
    '\u0085',
    '<|endoftext|>',
    'hello',
    ' World',
    'snake_case',
  ],
)
const text = fc.oneof(
  fc.array(fragment, { maxLength: 40 }).map(parts => parts.join('')),
  anyText({ maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 })
    .map(units => String.fromCharCode(...units)),
  fc.json({ maxDepth: 3 }),
)

const adversarial: [string, string][] = [
  ['lower case', 'a'],
  ['upper case', 'A'],
  ['digits', '7'],
  ['blanks', ' '],
  ['line breaks', '\n'],
  ['blank lines', ' \n'],
  ['symbols', '=-'],
  ['brackets', '[],'],
  ['Chinese', '中文'],
  ['emoji', '😀'],
  ['marks', '\u0301'],
  ['quotes', "'s"],
  ['backslashes', '\\'],
]

describe('the token counter', () => {
  it('counts what gpt-tokenizer counts, on any text', () => {
    fc.assert(
      fc.property(text, sample => {
        // The library drops a byte order mark inside a piece.
        const plain = sample.replaceAll('\ufeff', '')
        expect(count(plain)).toBe(expected(plain))
      }),
      { numRuns: 2000 },
    )
  })

  it.each(adversarial)('counts a run of %s as gpt-tokenizer does', (_, unit) => {
    for (const length of [100, 255, 256, 300, 700]) {
      const run = `x ${unit.repeat(length / unit.length)}Z`
      expect(count(run)).toBe(expected(run))
    }
  })

  it.each(adversarial)('needs work in proportion to a run of %s', (_, unit) => {
    const work = (length: number) => workOf(tokenizer.count(unit.repeat(length / unit.length)))
    expect(work(80_000)).toBeLessThan(work(20_000) * 8)
  })

  it('counts special tokens as the text they are', async () => {
    expect(await countTokens('<|endoftext|>')).toBe(expected('<|endoftext|>'))
    expect(await countTokens('<|endoftext|>')).toBeGreaterThan(1)
  })

  it('stops soon after the limit', () => {
    const long = 'The quick brown fox jumps over the lazy dog. '.repeat(5000)
    const steps = tokenizer.count(long, 2000)
    expect(workOf(steps)).toBeLessThan(20_000)
    expect(count(long, 2000)).toBeGreaterThan(2000)
    expect(workOf(tokenizer.count('a'.repeat(1_000_000), 1000))).toBe(0)
  })

  it('is exact up to the limit', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 0, max: 60 }), (sample, limit) => {
        const exact = count(sample)
        const limited = count(sample, limit)
        if (exact <= limit) expect(limited).toBe(exact)
        else expect(limited).toBeGreaterThan(limit)
      }),
    )
  })

  it('gives way to the event loop in the middle of a long text and of a long piece', async () => {
    for (const long of ['words and more words '.repeat(20_000), 'a'.repeat(50_000)]) {
      let turns = 0
      const ticking = setInterval(() => turns++, 0)
      const tick = () => {
        turns++
        immediate = setImmediate(tick)
      }
      let immediate = setImmediate(tick)
      await countTokens(long)
      clearImmediate(immediate)
      clearInterval(ticking)
      expect(turns).toBeGreaterThan(5)
    }
  })
})

describe('beginnings of a text', () => {
  it('count as the closed text does, in any order', () => {
    const close = fc.constantFrom('', '"', ']', '}', "'s", 'x', ' ', '\n')
    fc.assert(
      fc.property(text, fc.array(fc.tuple(fc.nat(60), close), { maxLength: 12 }), (sample, questions) => {
        const beginnings = tokenizer.beginnings(sample)
        for (const [at, ending] of questions) {
          const end = wholeCharacters(sample, Math.min(at, sample.length))
          const counted = atOnce(beginnings.count(end, ending, 1000))
          expect(counted).toBe(count(sample.slice(0, end) + ending))
        }
      }),
      { numRuns: 1500 },
    )
  })
})

function workOf(steps: Steps<unknown>): number {
  let work = 0
  for (let step = steps.next(); !step.done; step = steps.next()) work += step.value
  return work
}
