import { expect, it } from 'vitest'
import { explainError, type KnownTable } from '../../../src/query/explain.ts'

const column = (name: string, keys: string[] = []) => ({ name, keys })
const TABLES: KnownTable[] = [
  {
    name: 'services',
    rows: 30,
    columns: [column('key'), column('limits', ['cpu', 'memory_mb']), column('labels', ['name', 'color'])],
  },
  { name: 'accounts', rows: 300, columns: [column('id'), column('home.city'), column('first seen')] },
]

it.each([
  [
    'limits.cpu',
    'select limits.cpu from services',
    "There is no column limits.cpu. Write limits->>'cpu', or",
  ],
  ['memory_mb', 'select memory_mb from services', "Write limits->>'memory_mb'"],
  ['labels.name', 'select labels.name from services', 'json_each(labels) where that is a list'],
  ['home.city', 'select home.city from accounts', 'Write "home.city".'],
  ['a.home.city', 'select a.home.city from accounts a', 'Write "home.city".'],
  ['first', 'select first seen from accounts', 'Write "first seen".'],
  ['limit', 'select limit from services', 'There are, in services: limits, '],
  ['city', 'select city from accounts', 'There are, in accounts: '],
])('says what to write instead of a column %s that is not there', (name, sql, said) => {
  expect(explainError(`no such column: ${name}`, sql, TABLES)).toContain(said)
})

it('says how to name one of two columns', () => {
  const sql = 'select key from services, json_each(labels)'
  expect(explainError('ambiguous column name: key', sql, TABLES)).toContain('write table.key')
})
