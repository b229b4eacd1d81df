import type { ColumnShape } from '../values/column.ts'
import type { TableShape } from '../values/shape.ts'
import { ColumnNames, REST_COLUMN } from '../values/sql-names.ts'
import { type Detail, describeColumn, describeRun, isInAll, typeOf } from './describe-column.ts'
import { ELLIPSIS } from './truncate.ts'

/** A column of a table, or several that are alike, as a shape tells of them. */
export interface ShapedColumn {
  readonly name: string
  /** How many columns it stands for. */
  readonly count: number
  readonly describe: (detail: Detail) => string
}

/** The columns of a table, under the names that a question uses: of `Name` and `name` the second is `name_2`. */
export function shapedColumns({ columns, rows }: TableShape): ShapedColumn[] {
  return namedForSql(columns).map(named => asItself(named, rows))
}

/** With fewer of them, names that differ in a number stand each for itself. */
const FEWEST_OF_A_RUN = 4

/** The same, with columns that are alike but for a number in their names as one: `m_0 … m_296`. For tables that are wide. */
export function shapedRuns({ columns, rows }: TableShape): ShapedColumn[] {
  const runs = new Map<string, Named[]>()
  for (const named of namedForSql(columns)) {
    const likeness = likenessOf(named, rows)
    const run = runs.get(likeness)
    if (run) run.push(named)
    else runs.set(likeness, [named])
  }
  return [...runs.values()].flatMap(run =>
    run.length < FEWEST_OF_A_RUN ? run.map(named => asItself(named, rows)) : [asOne(run, rows)],
  )
}

interface Named {
  readonly name: string
  readonly column: ColumnShape
}

/** The same for columns that are alike but for a number in their names. */
function likenessOf({ name, column }: Named, rows: number): string {
  const type = typeOf(column)
  const kind = type === 'integer' ? 'number' : type
  return JSON.stringify([name.replace(/\d+(?=\D*$)/, '#'), kind, isInAll(column, rows)])
}

function asItself({ name, column }: Named, rows: number): ShapedColumn {
  return { name, count: 1, describe: detail => describeColumn(column, rows, detail) }
}

function asOne(run: readonly Named[], rows: number): ShapedColumn {
  const columns = run.map(({ column }) => column)
  return {
    name: `${run[0]?.name} ${ELLIPSIS} ${run.at(-1)?.name}`,
    count: run.length,
    describe: detail => describeRun(columns, rows, detail),
  }
}

function namedForSql(columns: readonly ColumnShape[]): Named[] {
  const names = new ColumnNames()
  return columns.map(column => {
    const at = names.columnOf(column.name)
    // Beyond the columns that a table can have, a field is a key of the last one.
    return {
      name: at === undefined ? `${REST_COLUMN}->>'${column.name}'` : (names.names[at] as string),
      column,
    }
  })
}
