/**
 * Numbers with all their digits. What a double does not hold, such as the id 1234567890123456789, becomes a raw number: `JSON.stringify`
 * writes it as it was. Browsers that cannot do that round it.
 */

interface RawNumbers {
  readonly rawJSON?: (text: string) => unknown
  readonly isRawJSON?: (value: unknown) => boolean
}

const { rawJSON, isRawJSON }: RawNumbers = JSON as RawNumbers

/** Doubles hold 15 digits, whatever they are. */
const LONG_NUMBER = /\d[\d.]{15}/

/** @throws SyntaxError */
export function parseExactly(text: string): unknown {
  return rawJSON !== undefined && LONG_NUMBER.test(text) ? JSON.parse(text, exactly) : JSON.parse(text)
}

export function isNumber(value: unknown): boolean {
  return typeof value === 'number' || isRawJSON?.(value) === true
}

function exactly(_: string, value: unknown, { source }: { source?: string } = {}): unknown {
  if (typeof value !== 'number' || source === undefined || !LONG_NUMBER.test(source)) return value
  return String(value) === source ? value : rawJSON?.(source)
}
