import { expect, it } from 'vitest'
import type { JsonValue } from '../../../src/core/json.ts'
import { nextStep, type Shown } from '../../../src/flow/read/next-step.ts'

const step = (preview: JsonValue, more: Partial<Shown> = {}) =>
  nextStep({ kind: 'part', preview, ...more } as unknown as Shown, 'token')

it.each<[string, JsonValue, Partial<Shown>, string]>([
  ['an item', [1, '…(items 2 to 9)', 10], {}, '#/1'],
  [
    'an item of the list that it is about',
    { meta: 1, items: [1, '…(item 2)'] },
    { path: '/items' },
    '#/items/1',
  ],
  ['an item further in', [{ a: 1 }, { children: [{}, '…(items 2 to 4)'] }], {}, '#/1/children/1'],
  ['a key', { first: 1, '…': '(+247 keys: river-1.example, stone.org, …)' }, {}, '#/river-1.example'],
  ['a key under one with a slash', { 'a/b': { '…': '(+2 keys: c, d)' } }, {}, '#/a~1b/c'],
  ['an outer mark before an inner one', [{ deep: ['…(items 1 to 9)'] }, '…(items 2 to 4)'], {}, '#/1'],
  ['a row', { columns: ['a'], rows: [[1], '…(items 2 to 4)', [5]] }, { isDense: true }, '#/1'],
  ['any item, where none is missing', [{ text: 'cut…(+9 chars)' }], {}, '#/0'],
  ['any key, where none is named', { '…': '(+3 keys)' }, {}, '#/key'],
])('names a part that is left out: %s', (_, preview, more, part) => {
  expect(step(preview, more)).toMatch(new RegExp(`ref_id${part.replaceAll('.', '\\.')}\\.$`))
})
