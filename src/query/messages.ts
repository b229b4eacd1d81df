import type { ErrorCode } from '../core/errors.ts'
import type { Container } from '../values/segments/segment-index.ts'
import type { TextBlock } from '../values/text-blocks.ts'
import type { DocumentKind } from '../values/value-document.ts'

/** What is sent to the child process. The text of a source follows its `load` as data, up to `end`. */
export type ChildRequest =
  | {
      readonly type: 'load'
      /** The set of values that are asked together: a database of its own. */
      readonly set: string
      /** What its tables are called after, where it stands beside others. */
      readonly name?: string
      readonly kind: DocumentKind
      /** UTF-16 units of the text. Absent: nobody knows before it has come. */
      readonly length?: number
      /** Of JSON of a known length: what is where in it. */
      readonly containers?: readonly Container[]
      /** The text is several texts in one. */
      readonly blocks?: readonly TextBlock[]
    }
  | { readonly type: 'end' }
  | { readonly type: 'ask'; readonly set: string; readonly sql: string; readonly maxBytes: number }
  | { readonly type: 'drop'; readonly set: string }

/** What the child process sends. The rows of an answer come before `answered`, as data: JSON lists of objects. */
export type ChildResponse =
  | { readonly type: 'started' }
  /** The source was taken. `bytes`: memory of all of its set. */
  | { readonly type: 'loaded'; readonly bytes: number }
  | { readonly type: 'answered'; readonly columns: readonly string[]; readonly note?: string }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string }
