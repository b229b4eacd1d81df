/** One change of a configuration. Without a value, the key is taken away. */
export interface Change {
  /** The keys that lead there. */
  readonly place: readonly string[]
  readonly value?: unknown
  /** The value as it was written in another JSON file, with its comments. */
  readonly source?: string
  /** What is taken away goes to another file, with the comments in it. */
  readonly isMoved?: boolean
}
