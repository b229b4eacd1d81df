import type { CallToolResult, Client } from '@modelcontextprotocol/client'
import { type Field, textOf, tokensRead } from './reading.ts'

export interface Cost {
  tokens: number
  calls: number
}

interface Answer {
  ref_id?: string
  is_complete?: boolean
  total_pages?: number
  error?: { code: string }
}

/** An agent that does what the answers tell it to, and keeps the account of what it read. */
export class Agent {
  readonly cost: Cost = { tokens: 0, calls: 0 }

  constructor(
    private readonly client: Client,
    private readonly field: Field,
  ) {}

  /** Reads a result whole, in as few calls as it can. */
  async readWhole(name: string, args: Record<string, unknown>): Promise<void> {
    const first = await this.#call(name, args)
    const { ref_id, is_complete = true } = answerIn(first)
    if (is_complete || ref_id === undefined) return
    const whole = await this.#call('get_cached_result', { ref_id, full: true })
    if (answerIn(whole).error === undefined) return
    await this.#readPages(ref_id)
  }

  /** Finds out where a text stands. */
  async find(needle: string, name: string, args: Record<string, unknown>): Promise<void> {
    const first = await this.#call(name, args)
    const { ref_id, is_complete = true } = answerIn(first)
    if (is_complete || ref_id === undefined || textOf(first).includes(needle)) return
    const found = await this.#call('query_cached_result', { ref_id, search: needle })
    if (!textOf(found).includes(needle)) throw new Error(`Not found: ${needle}`)
  }

  async #readPages(ref_id: string): Promise<void> {
    const max_size = 6_000
    for (let page = 1, last = 1; page <= last; page++) {
      const read = await this.#call('get_cached_result', { ref_id, page, max_size })
      last = answerIn(read).total_pages ?? 1
    }
  }

  async #call(name: string, args: Record<string, unknown>): Promise<CallToolResult> {
    const result = (await this.client.callTool({ name, arguments: args })) as CallToolResult
    this.cost.calls++
    this.cost.tokens += tokensRead(result, this.field)
    return result
  }
}

/** What an answer says of itself, whichever field carries it; nothing where it is a tool's own. */
function answerIn(result: CallToolResult): Answer {
  const own = [result.structuredContent, parsed(textOf(result))].find(isOurs)
  return own ?? {}
}

function isOurs(value: unknown): value is Answer {
  if (typeof value !== 'object' || value === null) return false
  return 'ref_id' in value || ('error' in value && Object.keys(value).length === 1)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
