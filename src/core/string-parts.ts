interface Kept {
  readonly text: string
  readonly parts: readonly string[]
}

/** By the list or object that a string stands in, and its key. */
const KEPT = new WeakMap<object, Map<string, Kept>>()

/**
 * Remembers the parts that a long string was put together from. V8 copies all of such a string when somebody first looks into it,
 * which holds the event loop for long. Who can read it in parts asks `partsOf`.
 *
 * @param parts none begins or ends within a character
 */
export function keepParts(container: object, key: string, text: string, parts: readonly string[]): void {
  const kept = KEPT.get(container) ?? new Map<string, Kept>()
  kept.set(key, { text, parts })
  KEPT.set(container, kept)
}

/** The parts of the string that stands there now; where none are known, the string itself. */
export function partsOf(container: object | undefined, key: string, text: string): readonly string[] {
  const kept = container && KEPT.get(container)?.get(key)
  return kept?.text === text ? kept.parts : [text]
}
