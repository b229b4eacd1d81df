import type { Clock } from '../../core/clock.ts'
import type { RefId } from '../../core/ref.ts'

/** One run of a handler, from its start until it has really ended. */
export interface HandlerRun {
  /** What the handler gives. */
  result(): Promise<unknown>
  readonly goesOn: boolean
  /** Nobody waits for the result any more. Resolves when the handler has ended, or its grace is over. */
  leaveBehind(): Promise<void>
}

/**
 * The handlers that run in this process. One that ignores its aborted signal still uses what the limits protect, so it
 * counts as running until it has ended; after a grace it is abandoned.
 */
export class HandlerRuns {
  readonly #latest = new Map<RefId, Promise<void>>()
  #abandoned = 0

  constructor(
    private readonly clock: Clock,
    private readonly grace: number,
  ) {}

  /** How many go on although their grace is over. */
  get abandoned(): number {
    return this.#abandoned
  }

  /** The end of the handler that runs for a task, or of its grace; nothing where none runs. */
  of(refId: RefId): Promise<void> | undefined {
    return this.#latest.get(refId)
  }

  begin(refId: RefId, handler: () => Promise<unknown>): HandlerRun {
    let goesOn = true
    let endGrace = () => {}
    const result = handler()
    const end = () => {
      goesOn = false
    }
    const ended = result.then(end, end)
    const grace = new Promise<void>(resolve => {
      endGrace = resolve
    })
    const over = Promise.race([ended, grace])
    this.#latest.set(refId, over)
    void over.then(() => {
      if (this.#latest.get(refId) === over) this.#latest.delete(refId)
    })
    const abandon = () => {
      this.#abandoned++
      void ended.then(() => {
        this.#abandoned--
      })
      endGrace()
    }
    return {
      result: () => result,
      get goesOn() {
        return goesOn
      },
      leaveBehind: () => {
        const cancel = this.clock.schedule(this.grace, abandon, 'background')
        void ended.then(cancel)
        return over
      },
    }
  }
}
