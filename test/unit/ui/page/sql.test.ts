import { expect, it } from 'vitest'
import { countsOf, firstQuestion, rowsWith } from '../../../../src/ui/page/opened/sql.ts'

const table = (name: string) => ({ name, rows: 3, columns: [] })

it('a click on a value asks for its rows, with what needs quotes in quotes', () => {
  const column = { name: 'level', type: 'text' }
  expect(rowsWith(table('items'), column, 'error')).toBe("select * from items where level = 'error' limit 20")
  expect(rowsWith(table('items'), column, "it's")).toContain("level = 'it''s'")
  expect(rowsWith(table('items'), { name: 'ms', type: 'integer' }, '12')).toContain('where ms = 12 ')
  expect(rowsWith(table('items'), { name: 'ms', type: 'integer' }, '1; drop')).toContain("ms = '1; drop'")
})

it('names of columns and tables are names, whatever is in them', () => {
  expect(firstQuestion(table('a "b"'))).toBe('select * from "a ""b""" limit 20')
  expect(countsOf(table('items'), { name: 'order' })).toContain('select "order", count(*)')
  expect(countsOf(table('items'), { name: 'größe' })).toContain('"größe"')
})
