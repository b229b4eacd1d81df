/** A promise that somebody else resolves. */
export class Deferred<Value = void> {
  readonly promise: Promise<Value>
  #resolve: (value: Value) => void = () => {}

  constructor() {
    this.promise = new Promise(resolve => {
      this.#resolve = resolve
    })
  }

  resolve(value: Value): void {
    this.#resolve(value)
  }
}
