import { expect, it } from 'vitest'
import { countsOf, firstQuestion, rowsWith } from '../../../../src/ui/page/opened/sql.ts'

const table = (name: string) => ({ name, rows: 3, columns: [] })

it.each([
  ['text', 'error', `= 'error'`],
  ['text', "it's", `= 'it''s'`],
  ['text', 'true', `= 'true'`],
  ['integer', '12', '= 12'],
  ['integer', '1; drop', `= '1; drop'`],
  ['number', '-1.5', '= -1.5'],
  ['number', '1e+21', '= 1e+21'],
  // A column of texts, although each of them is a number.
  ['numeric text', '007', `= '007'`],
  ['boolean', 'true', '= 1'],
  ['boolean', 'false', '= 0'],
  ['integer or text', '12', `in (12, '12')`],
  ['boolean or text', 'true', `in (1, 'true')`],
  ['integer or text', 'many', `= 'many'`],
])('a click on a value of a column of %s, %s, asks for its rows', (type, value, condition) => {
  expect(rowsWith(table('items'), { name: 'level', type }, value)).toBe(
    `select * from "items" where "level" ${condition} limit 20`,
  )
})

it('names of columns and tables are names, whatever is in them', () => {
  expect(firstQuestion(table('a "b"'))).toBe('select * from "a ""b""" limit 20')
  for (const name of ['order', 'union', 'größe'])
    expect(countsOf(table('items'), { name })).toContain(`select "${name}", count(*)`)
})
