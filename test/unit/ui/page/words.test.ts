import { expect, it } from 'vitest'
import {
  ageText,
  bytesText,
  cellText,
  elapsedText,
  plural,
  shortCount,
  shortRef,
  spanText,
} from '../../../../src/ui/page/words.ts'

it.each([
  [0, '0'],
  [999, '999'],
  [1_000, '1K'],
  [12_345, '12.3K'],
  [1_482_310, '1.5M'],
  [-21_050, '-21.1K'],
])('%s is %s in short', (count, text) => expect(shortCount(count)).toBe(text))

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_000, '1.0 KB'],
  [49_152, '48 KB'],
  [1024 ** 3 * 2.1, '2.1 GB'],
])('%s bytes are %s', (bytes, text) => expect(bytesText(bytes)).toBe(text))

it.each([
  [340, '340 ms'],
  [2_140, '2.1 s'],
  [9_960, '9 s'],
  [200_000, '3 min 20 s'],
  [7_500_000, '2 h 5 min'],
  [86_400_000, '1 d'],
])('%s ms took %s', (milliseconds, text) => expect(spanText(milliseconds)).toBe(text))

it.each([
  [-5_000, 'now', '0 s'],
  [1_999, 'now', '1 s'],
  [12_000, '12 s', '12 s'],
  [119_000, '1 min', '1 min 59 s'],
  [7_500_000, '2 h', '2 h 5 min'],
  [200_000_000, '2 d', '2 d 7 h'],
])('%s ms are %s of age, and %s of running', (milliseconds, age, elapsed) => {
  expect(ageText(milliseconds)).toBe(age)
  expect(elapsedText(milliseconds)).toBe(elapsed)
})

it('one is not many', () => {
  expect([plural(1, 'entry', 'entries'), plural(1_200, 'row')]).toEqual(['1 entry', '1,200 rows'])
})

it('a reference is told by its beginning', () => {
  expect(shortRef('files:0123456789abcdef0123456789abcdef')).toBe('files:01234567…')
  expect(shortRef('files:0123')).toBe('files:0123')
})

it('a cell is text as it is, and JSON in one line', () => {
  expect([cellText('<b>'), cellText({ a: [1] }), cellText(undefined)]).toEqual(['<b>', '{"a":[1]}', ''])
})
