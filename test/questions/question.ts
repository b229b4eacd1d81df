/** One question to one stored result, in the words of a person and as an agent asks it that has read the preview. */
export interface Question {
  /** Which of the results. */
  readonly of: string
  readonly asks: string
  /** The calls, in order; the last one gives the answer. `$ref` is the reference of the result, `$last` that of the last answer. */
  readonly calls: readonly Ask[]
  /** The rows of the answer, by means of TypeScript over the data. For `search` and parts: texts that the answer must say. */
  readonly answer: () => Answer
  /** The question says nothing of the order. */
  readonly anyOrder?: true
}

export type Ask =
  | { readonly sql: string; readonly part?: string; readonly tables?: Readonly<Record<string, string>> }
  | { readonly search: string; readonly part?: string; readonly context?: number }
  | { readonly read: string }

export type Cell = string | number | boolean | null
export type Answer = { readonly rows: readonly (readonly Cell[])[] } | { readonly says: readonly string[] }

export const rows = (all: readonly (readonly Cell[])[]): Answer => ({ rows: all })
export const one = (...cells: Cell[]): Answer => ({ rows: [cells] })

/** How many there are of each, the most frequent first; of as many each, by name. */
export function tally<T extends Cell>(all: readonly T[]): [T, number][] {
  const counts = new Map<T, number>()
  for (const key of all) counts.set(key, (counts.get(key) ?? 0) + 1)
  return [...counts].sort(([a, n], [b, m]) => m - n || (a! < b! ? -1 : 1))
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

export const days = (from: string, to: string) => (Date.parse(to) - Date.parse(from)) / 86_400_000
