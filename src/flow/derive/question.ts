import { InvalidArgument } from '../../core/errors.ts'
import { isJsonObject, type JsonValue } from '../../core/json.ts'
import { checkLimit } from '../../core/options.ts'
import type { RefId } from '../../core/ref.ts'
import { toPattern } from '../../values/search/expression.ts'
import { isReservedTable } from '../../values/sql-names.ts'

/** A question about a value: either `sql` or `search`. */
export interface QuestionText {
  /** One SELECT of SQLite (or WITH … SELECT, or VALUES) over the tables of the value: see the docs on asking. */
  sql?: string | undefined
  /** Lines of a text, or items of lists, that contain this text, or match `/expression/flags` in the syntax of RE2. */
  search?: string | undefined
  /** With `search`: so many lines or items are shown before and after each match, at most 50. @defaultValue 0 */
  context?: number | undefined
  /** With `sql`: further references, as tables for joins, by the name that their tables get. Each needs READ. */
  tables?: Readonly<Record<string, RefId>> | undefined
}

/** What is asked, without what nobody said. @throws InvalidArgument */
export async function checkQuestion({ sql, search, context, tables }: QuestionText): Promise<QuestionText> {
  if ((sql === undefined) === (search === undefined)) {
    throw new InvalidArgument('A question is either sql or search: give exactly one of them.')
  }
  if (sql !== undefined) {
    if (context !== undefined) throw new InvalidArgument('context belongs to search, not to sql.')
    checkTables(tables)
    return { sql, ...(tables ? { tables } : {}) }
  }
  if (tables !== undefined) throw new InvalidArgument('tables belong to sql, not to search.')
  await toPattern(search as string)
  return { search, ...(context === undefined ? {} : { context: checkLimit(context, 'context') }) }
}

const MOST_TABLES = 10

function checkTables(tables: QuestionText['tables']): void {
  if (tables === undefined) return
  if (!isJsonObject(tables as JsonValue)) {
    throw new InvalidArgument('tables gives references names: {"users":"files:9f…"}.')
  }
  const names = Object.keys(tables)
  if (names.length > MOST_TABLES) throw new InvalidArgument(`tables has more than ${MOST_TABLES} references.`)
  const wrong = names.find(name => !/^[\p{L}_][\p{L}\p{N}_]{0,63}$/u.test(name) || isReservedTable(name))
  if (wrong === undefined && names.every(name => typeof tables[name] === 'string')) return
  throw new InvalidArgument(
    wrong === undefined
      ? 'tables gives references names: {"users":"files:9f…"}.'
      : `'${wrong.slice(0, 80)}' cannot be the name of a table here. Use letters, digits and _, and no name that SQLite or every value has, such as root, lines, columns or json_each.`,
  )
}
