import type { InFlightEntry } from '../../core/entry.ts'

/** Says of a lost task whether only the return of its caller can make it run here. */
export type AwaitsCaller = (task: InFlightEntry) => boolean

/** An adapter may know a tool, or be able to run it, only while the callers of its tasks are connected. Their lost tasks wait for them. */
export class AwaitedCallers {
  #awaitsCaller: AwaitsCaller = () => false
  #returns = 0

  /** How often a caller came back: then what was left may run. */
  get returns(): number {
    return this.#returns
  }

  ask(awaitsCaller: AwaitsCaller): void {
    this.#awaitsCaller = awaitsCaller
  }

  returned(): void {
    this.#returns++
  }

  isAwaitedBy(task: InFlightEntry): boolean {
    return this.#awaitsCaller(task)
  }
}
