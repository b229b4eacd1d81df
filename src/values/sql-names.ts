/** SQLite takes 2,000 columns in all; the rest of a wider record stands in one. */
const MOST_COLUMNS = 1_900

/** The column that holds the fields beyond the last column, as one JSON object. */
export const REST_COLUMN = 'rest'

const RESERVED_TABLES =
  /^(?:root|lines|columns|sqlite_.*|json_each|json_tree|dbstat|bytecode|tables_used|pragma_.*)$/i

/** Whether every value has a table of that name, or SQLite keeps it for itself. */
export function isReservedTable(name: string): boolean {
  return RESERVED_TABLES.test(name)
}

/**
 * A name that is not taken yet: the wanted one, else with `_2`, `_3`, … behind it. SQL does not tell upper and lower case apart.
 * What SQLite cannot have in a name is replaced.
 * @param first the number to begin with; 1: the name itself
 */
export function freeSqlName(wanted: string, taken: Set<string>, first = 1): string {
  const clean = cleanName(wanted)
  let name = first === 1 ? clean : `${clean}_${first}`
  for (let count = Math.max(first, 1) + 1; taken.has(foldCase(name)); count++) name = `${clean}_${count}`
  taken.add(foldCase(name))
  return name
}

/** SQLite ends a name at a NUL character, and halves of surrogate pairs are all one to it. */
function cleanName(name: string): string {
  return name.replaceAll('\0', ' ').replace(/\p{Surrogate}/gu, '\ufffd')
}

/** Like SQLite, which folds the letters of ASCII alone. */
export function foldCase(name: string): string {
  return name.replace(/[A-Z]+/g, letters => letters.toLowerCase())
}

/** As an identifier in a statement. */
export function quoteSqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Gives each field of the rows of a table its column, in the order in which they come. */
export class ColumnNames {
  readonly #columns = new Map<string, number>()
  readonly #taken = new Set<string>()
  readonly names: string[] = []
  #hasRest = false

  /** @returns the number of its column, from 0; undefined: it belongs into the column for the rest */
  columnOf(field: string): number | undefined {
    const known = this.#columns.get(field)
    if (known !== undefined) return known
    if (this.names.length >= MOST_COLUMNS) return undefined
    this.names.push(freeSqlName(field, this.#taken))
    this.#columns.set(field, this.names.length - 1)
    return this.names.length - 1
  }

  /** The number of the column for the rest, made when it is first needed. */
  rest(): number {
    if (!this.#hasRest) this.names.push(freeSqlName(REST_COLUMN, this.#taken))
    this.#hasRest = true
    return this.names.length - 1
  }
}

/** Tables that stand for a value as a whole. */
const WHOLE = new Set(['root', 'lines'])

/**
 * The names of a value's tables beside those of other values: one table is named like the value, several `users_orders`. Where a value
 * has no list, what stands for it as a whole takes its name.
 */
export function namesWithin(name: string, tables: readonly { readonly name: string }[]): string[] {
  const lists = tables.filter(table => !WHOLE.has(table.name))
  const main = lists.length === 1 ? lists[0] : lists.length === 0 ? tables[0] : undefined
  const taken = new Set<string>()
  return tables.map(table => freeSqlName(table === main ? name : `${name}_${table.name}`, taken))
}
