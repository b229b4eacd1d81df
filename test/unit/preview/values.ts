import fc from 'fast-check'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import type { JsonValue } from '../../../src/core/json.ts'
import { stringifyJson } from '../../../src/core/json-text.ts'
import type { PreviewStrategy, SizeMode } from '../../../src/preview/preview.ts'
import { anyText } from '../../any-text.ts'

/** Sizes by the library's own count: what the previews are held against. */
export function sizeOf(value: JsonValue, sizeMode: SizeMode): number {
  const json = stringifyJson(value)
  return sizeMode === 'character' ? json.length : countTokens(json, { disallowedSpecial: new Set<string>() })
}

export const sizeMode = fc.constantFrom<SizeMode>('token', 'character')
export const strategy = fc.constantFrom<PreviewStrategy>('sample', 'truncate', 'paginate')
export const budget = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 8, max: 400 }))

const awkward = fc.constantFrom(
  ...[
    '',
    '\n',
    'one\ntwo\n\nthree',
    '\u0000\u0001',
    '\\"',
    '\\n',
    '😀😀',
    '\ud800',
    'é中文',
    "it's",
    '…',
    '\u2028',
  ],
  ...['<|endoftext|>', ' '.repeat(50), 'x'.repeat(300), '[1,2]', '{"a":[1.0]}', 'long words '.repeat(40)],
)
const text = fc.oneof(
  awkward,
  anyText({ maxLength: 40 }).map(sample => sample.replaceAll('\ufeff', '')),
  fc.array(awkward, { maxLength: 12 }).map(parts => parts.join('')),
)
const key = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom('__proto__', '…', '0', '10', 'k'.repeat(250)),
)

/** Any JSON, also nested, with awkward texts and keys. */
export const json: fc.Arbitrary<JsonValue> = fc
  .letrec<{ value: JsonValue }>(tie => ({
    value: fc.oneof(
      { maxDepth: 5, depthSize: 'small', withCrossShrink: true },
      fc.oneof(
        text,
        fc.integer(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.boolean(),
        fc.constant(null),
      ),
      fc.array(tie('value'), { maxLength: 10 }),
      fc.array(fc.tuple(key, tie('value')), { maxLength: 6 }).map(entries => Object.fromEntries(entries)),
    ),
  }))
  .value.map(value => JSON.parse(JSON.stringify(value)) as JsonValue)

/** Mostly values that are too large for the budgets above. */
export const large: fc.Arbitrary<JsonValue> = fc.oneof(
  json,
  fc.array(json, { minLength: 3, maxLength: 8 }),
  fc.array(awkward, { minLength: 10, maxLength: 30 }).map(parts => parts.join('')),
  fc.array(fc.integer(), { minLength: 50, maxLength: 200 }),
  fc.array(json, { minLength: 2, maxLength: 5 }).map(value => JSON.stringify(value, null, 1)),
  fc.array(json, { minLength: 3, maxLength: 8 }).map(items => ({ next: 'abc', data: { items } })),
  fc
    .array(awkward, { minLength: 12, maxLength: 40 })
    .map(lines => lines.map(line => `12:00:00 INFO ${line}`).join('\n')),
  fc
    .array(awkward, { minLength: 12, maxLength: 40 })
    .map(
      cells => `id,text\n${cells.map((cell, at) => `${at},"${cell.replaceAll('"', '""')}"`).join('\n')}\n`,
    ),
)

export function rows(count: number): JsonValue[] {
  return Array.from({ length: count }, (_, id) => ({
    id,
    name: `User ${id}`,
    tags: ['a', 'b'],
    active: id % 2 === 0,
  }))
}

export function prose(length: number): string {
  return 'The quick brown fox jumps over the lazy dog. '.repeat(Math.ceil(length / 45)).slice(0, length)
}
