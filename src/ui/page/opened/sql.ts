import type { Column, Table } from '../../api.ts'

/** Questions that a click writes. */

const PLAIN_NAME = /^[a-z_][a-z0-9_]*$/i
/** Words that SQL needs for itself, which tools often give to columns. */
const RESERVED =
  /^(order|group|index|from|to|key|values?|table|select|where|default|check|references|limit|case|end|when|set|by|as)$/i
const NUMERIC = /int|real|num|float|double/i

export function nameText(name: string): string {
  return PLAIN_NAME.test(name) && !RESERVED.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}

export function firstQuestion({ name }: Table): string {
  return `select * from ${nameText(name)} limit 20`
}

/** The rows that have this value. */
export function rowsWith(table: Table, column: Column, value: string): string {
  const { name, type = '' } = column
  const literal =
    NUMERIC.test(type) && /^-?\d+(\.\d+)?$/.test(value) ? value : `'${value.replaceAll("'", "''")}'`
  return `select * from ${nameText(table.name)} where ${nameText(name)} = ${literal} limit 20`
}

/** How often which value is there. */
export function countsOf(table: Table, { name }: Column): string {
  const column = nameText(name)
  return `select ${column}, count(*) as n from ${nameText(table.name)} group by 1 order by 2 desc limit 20`
}
