/** Keeps back what is read from HTTP answers while it is closed. */
export class Gate {
  #opened = Promise.resolve()
  #open = () => {}

  close(): void {
    this.#opened = new Promise(resolve => {
      this.#open = resolve
    })
  }

  open(): void {
    this.#open()
  }

  /** The same answer, whose body comes while the gate is open. */
  before(response: Response): Response {
    const { body, status, statusText, headers } = response
    if (!body) return response
    const reader = body.getReader()
    const kept = new ReadableStream<Uint8Array>({
      pull: async controller => {
        await this.#opened
        const { done, value } = await reader.read()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: reason => reader.cancel(reason),
    })
    return new Response(kept, { status, statusText, headers })
  }
}
