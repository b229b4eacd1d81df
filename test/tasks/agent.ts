import type { CallToolResult, Client } from '@modelcontextprotocol/client'
import { textOf, tokensIn, tokensRead } from '../../bench/tokens/reading.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Body = any

export interface Answer {
  readonly result: CallToolResult
  readonly text: string
  /** The text as JSON, where it is some. */
  readonly body: Body
}

/** More than that no client gives to its model of one answer. */
const CEILING = 25_000
/** Larger texts need not be counted to know that they are above it. */
const SURELY_ABOVE = 400_000

/** An agent has a client and an account: what its model reads, and what it writes into calls. */
export class Agent {
  calls = 0
  read = 0
  written = 0
  /** Why the task cannot be done: an answer or a call that no model takes or writes. */
  failure: string | undefined

  constructor(private readonly client: Client) {}

  async call(name: string, args: Record<string, unknown> = {}): Promise<Answer> {
    this.write(JSON.stringify({ name, arguments: args }))
    const result = (await this.client.callTool({ name, arguments: args })) as CallToolResult
    const text = textOf(result)
    this.calls++
    this.#take(text.length > SURELY_ABOVE ? Number.POSITIVE_INFINITY : tokensRead(result, 'larger'))
    return { result, text, body: parsed(text) }
  }

  /** What the model would have to write itself. */
  write(text: string): void {
    const tokens = text.length > SURELY_ABOVE ? text.length / 4 : tokensIn(text)
    this.written += tokens
    if (tokens > CEILING) this.failure ??= 'a call too large to write'
  }

  #take(tokens: number): void {
    this.read += Math.min(tokens, CEILING)
    if (tokens > CEILING) this.failure ??= 'an answer too large to read'
  }
}

function parsed(text: string): Body {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
