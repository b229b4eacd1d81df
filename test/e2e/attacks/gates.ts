interface Gate {
  readonly passed: Promise<void>
  open(): void
  readonly reached: Promise<void>
  reach(): void
}

/** Where handlers wait until the test lets them go on. */
export class Gates {
  readonly #gates = new Map<string, Gate>()

  /** For a handler: waits until it is let through. */
  async pass(name: string): Promise<void> {
    const gate = this.#gate(name)
    gate.reach()
    await gate.passed
  }

  /** Resolves when a handler stands before the gate. */
  reached(name: string): Promise<void> {
    return this.#gate(name).reached
  }

  open(name: string): void {
    this.#gate(name).open()
  }

  /** Nobody is left waiting when a scene ends. */
  openAll(): void {
    for (const gate of this.#gates.values()) gate.open()
  }

  #gate(name: string): Gate {
    const known = this.#gates.get(name)
    if (known) return known
    const passed = signal()
    const reached = signal()
    const gate = {
      passed: passed.given,
      open: passed.give,
      reached: reached.given,
      reach: reached.give,
    }
    this.#gates.set(name, gate)
    return gate
  }
}

function signal(): { given: Promise<void>; give(): void } {
  let give: () => void = () => {}
  const given = new Promise<void>(resolve => {
    give = resolve
  })
  return { given, give: () => give() }
}
