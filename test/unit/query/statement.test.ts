import { describe, expect, it } from 'vitest'
import { explainEmpty, explainError } from '../../../src/query/explain.ts'
import { checkStatement } from '../../../src/query/statement.ts'

const column = (name: string) => ({ name, keys: [] })

describe('a statement', () => {
  it.each([
    'select 1',
    '  -- a comment\n SELECT * from items;',
    'with x as (select 1) select * from x',
    'values (1), (2)',
    "select replace(name, 'a', 'b') from items where text = 'delete; drop'",
    "with x as (select 1) select replace('a', 'b', 'c'), \"update\", [insert] from x",
    "select ';' -- ; select 2",
    "select n from items where action = 'edit' or action in ('readfile', 'load_extension', 'pragma_x')",
    'select edit, items."load_extension", pragma_note from items order by pragma_note',
    'with x as (select 1 as "update") select update from x',
    'with x as (select 1 a), y(b) as materialized (select 2) select a as delete, (b) replace from x, y',
    "select a, 'pragma_table_info' from items where b is distinct from 'pragma_table_info'",
    "select f(a, 'pragma_x') from items a join items b on (a.x, 'pragma_x') = (b.x, b.pragma_x)",
    'select * from pragma_x_2',
    'select edit(1)',
  ])('may ask: %s', sql => {
    expect(() => checkStatement(sql)).not.toThrow()
  })

  it.each([
    ['', 'one SELECT'],
    ['delete from items', 'one SELECT'],
    ['with x as (select 1) delete from items', 'one SELECT'],
    ['with x as (select 1) replace into items values (1)', 'one SELECT'],
    ['pragma database_list', 'select * from columns'],
    ["attach 'file' as other", 'one SELECT'],
    ["vacuum into 'file'", 'one SELECT'],
    ['explain select 1', 'one SELECT'],
    ['select 1; select 2', 'several statements'],
    ['select 1;;delete from items', 'several statements'],
    ["select * from pragma_table_info('items')", 'pragma_table_info'],
    ['select * from "pragma_database_list"', 'pragma_database_list'],
    ["select * from 'PRAGMA_database_list'", 'PRAGMA_database_list'],
    ['select * from /* */ [pragma_database_list]', 'pragma_database_list'],
    ["select 1 from (items), 'pragma_database_list'", 'pragma_database_list'],
    ['select 1 from items a join items b on a.x = b.x, main . "pragma_table_list" t', 'pragma_table_list'],
    ['select 1 from (pragma_table_list)', 'pragma_table_list'],
    ["select 'a' in pragma_database_list('x')", 'pragma_database_list'],
    ['select (select count(*) from pragma_table_list)', 'pragma_table_list'],
    ['with x as (select 1 as "select") update items set a = 1', 'one SELECT'],
    ["select load_extension('x')", 'load_extension'],
    ['select [load_extension] (1)', 'load_extension'],
    ['select "load_extension"(\'x\')', 'load_extension'],
    [`select ${'1,'.repeat(60_000)}1`, 'more than 100000 characters'],
  ])('may do nothing else: %s', (sql, said) => {
    expect(() => checkStatement(sql)).toThrow(said)
  })
})

describe('an error of SQLite', () => {
  const tables = [
    { name: 'orders', rows: 3, columns: ['id', 'group', 'total'].map(column) },
    { name: 'columns', rows: 3, columns: ['name'].map(column) },
  ]

  it.each([
    ['no such table: ordrs', 'select 1 from ordrs', 'There is no table ordrs. There are: orders, columns.'],
    [
      'no such column: o.totl',
      'select o.totl from orders o',
      'There is no column o.totl. There are, in orders: total, id, group.',
    ],
    ['near "group": syntax error', 'select group from orders', 'write the column as "group"'],
    ['malformed JSON', "select a->>'x' || b->>'y'", 'parentheses'],
    ['no such function: median', 'select median(1)', 'number(text)'],
  ])('says what to write instead: %s', (message, sql, said) => {
    expect(explainError(message, sql, tables)).toContain(said)
  })

  it('is short, however much somebody else has named', () => {
    const wide = [
      { name: 'items', rows: 1, columns: Array.from({ length: 5_000 }, (_, at) => column(`column ${at}`)) },
    ]
    expect(
      explainError(`no such column: ${'x'.repeat(10_000)}`, 'select 1 from items', wide).length,
    ).toBeLessThan(2_000)
  })

  it('of an empty answer says how many rows there were, and what a long number is compared with', () => {
    expect(explainEmpty('select * from orders where id = 12345678901234567890', tables)).toBe(
      "No row fits; orders has 3 rows. A number beyond 64 bits is kept as text: compare it with one in quotes, '12345678901234567890'.",
    )
  })
})
