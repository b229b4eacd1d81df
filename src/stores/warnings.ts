/** What a store has to tell its operator: through the cache that uses it, or as process warnings. */
export class Warnings {
  readonly #told = new Set<string>()
  #tell = (message: string, code: string) => process.emitWarning(message, { type: 'RefCacheWarning', code })

  /** For `Store.warnTo`. */
  to(tell: (message: string) => void): void {
    this.#tell = tell
  }

  tell(code: string, message: string): void {
    this.#tell(message, code)
  }

  /** The same, but for each `subject` once. */
  tellOnce(code: string, message: string, subject: string): void {
    if (this.#told.has(subject)) return
    this.#told.add(subject)
    this.#tell(message, code)
  }
}
