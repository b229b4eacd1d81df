import type { ErrorCode } from '../core/errors.ts'

/** What the child process is told. The text of a source follows its `load` as data, up to `end`. */
export type Order =
  | {
      readonly do: 'load'
      /** The set of values that are asked together: a database of its own. */
      readonly set: string
      /** What its tables are called after, where it stands beside others. */
      readonly name?: string
      readonly kind: 'json' | 'text'
    }
  | { readonly do: 'end' }
  | { readonly do: 'ask'; readonly set: string; readonly sql: string; readonly maxBytes: number }
  | { readonly do: 'drop'; readonly set: string }

/** What it says. The rows of an answer come before `answered`, as data: JSON lists of objects. */
export type Report =
  | { readonly did: 'start' }
  /** The source was taken. `bytes`: memory of all of its set. */
  | { readonly did: 'load'; readonly bytes: number }
  | { readonly did: 'ask'; readonly columns: readonly string[]; readonly note?: string }
  | { readonly did: 'fail'; readonly code: ErrorCode; readonly message: string }
