import type { ServerResponse } from 'node:http'
import type { Clock } from '../../core/clock.ts'
import type { Tokens } from '../callers.ts'

/** So soon after a token was taken back, what is open by it ends. */
const CHECK_MS = 5_000

/** The responses that are open by tokens. Those of a token that is no longer its subject's end. */
export class AuthorizedResponses {
  readonly #open = new Map<ServerResponse, { readonly token: string; readonly subject: string }>()
  #stop = () => {}

  constructor(
    private readonly tokens: Tokens,
    private readonly clock: Clock,
  ) {}

  add(response: ServerResponse, token: string, subject: string): void {
    if (this.#open.size === 0) this.#checkLater()
    this.#open.set(response, { token, subject })
    response.once('close', () => {
      this.#open.delete(response)
      if (this.#open.size === 0) this.#stop()
    })
  }

  #checkLater(): void {
    this.#stop()
    this.#stop = this.clock.schedule(CHECK_MS, () => this.#check(), 'background')
  }

  #check(): void {
    this.#checkLater()
    for (const [response, { token, subject }] of this.#open) {
      if (this.tokens.subjectOf(token) !== subject) response.destroy()
    }
  }
}
