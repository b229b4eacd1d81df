import type { Duration } from '../../core/duration.ts'
import type { JsonValue } from '../../core/json.ts'

/**
 * Where something stands in a tool's answer: a JSON Pointer into its structured content, or into the JSON that its text is; or, in a plain
 * text, right after other words.
 */
export type Place = string | { readonly after: string }

/** What an argument is given: what stands in an answer, something fixed, or an argument of the first call. */
export type Given = Place | { readonly value: JsonValue } | { readonly argument: string }

/** A call of another tool of the server. */
export interface AskSettings {
  readonly tool: string
  readonly arguments: Readonly<Record<string, Given>>
}

/** Something is there, or is one of these. */
export interface Condition {
  readonly at: Place
  readonly is?: readonly (string | number | boolean)[] | undefined
}

/** How the job is followed that a tool starts. */
export interface FollowSettings {
  /** Which tool says how the job is. */
  readonly ask: AskSettings
  readonly done: Condition
  readonly failed?: Condition | undefined
  readonly progress?:
    | {
        readonly current?: Place | undefined
        readonly total?: Place | undefined
        readonly message?: Place | undefined
      }
    | undefined
  /** What went wrong. @defaultValue the words of the answer */
  readonly error?: Place | undefined
  /** The result, in the last answer, or of another tool. @defaultValue the last answer */
  readonly result?: Place | AskSettings | undefined
  readonly cancel?: AskSettings | undefined
  /** Before it is asked for the first time, and after each answer that brought news. */
  readonly every: Duration
  /** The longest it gets while there are no news. */
  readonly atMost: Duration
}

/** The tools that a tool's settings name beside it. */
export function toolsNamedIn({ ask, cancel, result }: FollowSettings): string[] {
  const named = [ask, cancel, isAsk(result) ? result : undefined]
  return named.flatMap(one => (one ? [one.tool] : []))
}

export function isAsk(result: FollowSettings['result']): result is AskSettings {
  return typeof result === 'object' && 'tool' in result
}
