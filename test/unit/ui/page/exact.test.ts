import { expect, it } from 'vitest'
import { isNumber, parseExactly } from '../../../../src/ui/page/exact.ts'

const TEXT =
  '{"id":1234567890123456789,"price":0.12345678901234567891,"n":12,"half":0.5,"text":"1234567890123456789"}'

it.runIf('rawJSON' in JSON)('numbers keep all their digits, and are numbers', () => {
  const value = parseExactly(TEXT) as Record<string, unknown>
  expect(JSON.stringify(value)).toBe(TEXT)
  expect(value).toMatchObject({ n: 12, half: 0.5 })
  expect(Object.values(value).map(isNumber)).toEqual([true, true, true, true, false])
})

it('what is no JSON is none', () => {
  expect(() => parseExactly('{"id": 1234567890123456789')).toThrow(SyntaxError)
})
