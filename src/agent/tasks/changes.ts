import type { TaskView } from './view.ts'

/** The changes of one task, to be waited for one after another. Several that come at once count as one. */
export class Changes {
  #told = false
  #wake: (() => void) | undefined
  #end: () => void = () => {}

  /** Watches from now on: what is read after this misses nothing. */
  static async of(view: TaskView): Promise<Changes> {
    const changes = new Changes()
    changes.#end = await view.watch(() => changes.tell())
    return changes
  }

  /** There is something to look at. */
  tell(): void {
    this.#told = true
    this.#wake?.()
  }

  async next(): Promise<void> {
    if (!this.#told) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    this.#told = false
  }

  end(): void {
    this.#end()
  }
}
