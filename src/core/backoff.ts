export interface BackoffOptions {
  /** Milliseconds before the first further try. */
  readonly firstMs: number
  readonly maxMs: number
  /** @defaultValue 2 */
  readonly factor?: number
}

/** How long to wait before each further try: longer each time, up to a limit. */
export class Backoff {
  #next: number

  constructor(private readonly options: BackoffOptions) {
    this.#next = options.firstMs
  }

  /** Milliseconds to wait now. */
  next(): number {
    const { factor = 2, maxMs } = this.options
    const wait = this.#next
    this.#next = Math.min(wait * factor, maxMs)
    return wait
  }

  /** It worked: the next trouble begins anew. */
  reset(): void {
    this.#next = this.options.firstMs
  }
}
