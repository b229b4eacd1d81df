import type { Column, Table } from '../../api.ts'

/** Questions that a click writes. Names are always in quotes: columns are often called `order` or `group`. */

const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i

export function nameText(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function firstQuestion({ name }: Table): string {
  return `select * from ${nameText(name)} limit 20`
}

/** The rows that have this value. */
export function rowsWith(table: Table, column: Column, value: string): string {
  const literals = literalsOf(column.type ?? '', value)
  const condition = literals.length === 1 ? `= ${literals[0]}` : `in (${literals.join(', ')})`
  return `select * from ${nameText(table.name)} where ${nameText(column.name)} ${condition} limit 20`
}

/** How often which value is there. */
export function countsOf(table: Table, { name }: Column): string {
  const column = nameText(name)
  return `select ${column}, count(*) as n from ${nameText(table.name)} group by 1 order by 2 desc limit 20`
}

/** As its kinds have it in SQL, where a boolean is 1 or 0. A column of several kinds may have the value as each of them. */
function literalsOf(type: string, value: string): readonly string[] {
  const kinds = type.split(' or ')
  const literals: string[] = []
  if (kinds.includes('boolean') && (value === 'true' || value === 'false'))
    literals.push(value === 'true' ? '1' : '0')
  if ((kinds.includes('integer') || kinds.includes('number')) && NUMBER.test(value)) literals.push(value)
  const isText = kinds.includes('text') || kinds.includes('numeric text')
  if (isText || literals.length === 0) literals.push(`'${value.replaceAll("'", "''")}'`)
  return literals
}
