import { Client } from '@modelcontextprotocol/client'
import { type CallToolResult, InMemoryTransport, McpServer } from '@modelcontextprotocol/server'
import { textOf, tokensRead } from '../../bench/tokens/reading.ts'
import { RefCache } from '../../dist/index.js'
import { attachRefCache } from '../../dist/mcp/index.js'
import type { Ask, Question } from './question.ts'

/** What the model reads in order to know an answer. */
export interface Asked {
  readonly question: Question
  readonly calls: number
  readonly tokens: number
  /** What all pages of the value would have cost, as its preview says. */
  readonly paging: number
  /** The last answer. */
  readonly body: { readonly rows?: readonly unknown[]; readonly ref_id?: string }
  readonly text: string
}

/** A server whose tools give the results, with references, and a client of it. */
export async function serve(
  results: Readonly<Record<string, () => CallToolResult>>,
): Promise<{ client: Client; close(): Promise<void> }> {
  const cache = new RefCache({ name: 'files' })
  const server = new McpServer({ name: 'results', version: '1.0.0' })
  const { registerTool } = attachRefCache(server, cache)
  for (const [name, result] of Object.entries(results)) registerTool(name, {}, result)
  const [clientSide, serverSide] = InMemoryTransport.createLinkedPair()
  await server.connect(serverSide)
  const client = new Client({ name: 'asking', version: '1.0.0' })
  await client.connect(clientSide)
  const close = async () => {
    await client.close()
    await cache.close()
  }
  return { client, close }
}

/** Asks about results, and keeps the account of what was read. */
export class Asker {
  readonly #previews = new Map<string, { ref_id: string; original_size: number }>()

  constructor(
    private readonly client: Client,
    /** The call that gives a result, where it is no tool of that name. */
    private readonly call: (of: string) => { name: string; arguments: Record<string, unknown> } = name => ({
      name,
      arguments: {},
    }),
  ) {}

  async ask(question: Question): Promise<Asked> {
    const preview = this.#previews.get(question.of) ?? (await this.#preview(question.of))
    this.#previews.set(question.of, preview)
    let [tokens, text] = [0, '']
    for (const ask of question.calls) {
      const result = (await this.client.callTool(callOf(ask, preview.ref_id))) as CallToolResult
      tokens += tokensRead(result, 'larger')
      text = textOf(result)
    }
    const calls = question.calls.length
    return { question, calls, tokens, paging: preview.original_size, body: JSON.parse(text), text }
  }

  async #preview(of: string): Promise<{ ref_id: string; original_size: number }> {
    const { name, arguments: args } = this.call(of)
    const result = await this.client.callTool({ name, arguments: { ...args, _as_ref: true } })
    return JSON.parse(textOf(result as CallToolResult))
  }
}

function callOf(ask: Ask, ref_id: string): { name: string; arguments: Record<string, unknown> } {
  if ('read' in ask) {
    return { name: 'get_cached_result', arguments: { ref_id: `${ref_id}${ask.read}` } }
  }
  const { part = '', ...question } = ask
  const tables =
    'tables' in question &&
    Object.fromEntries(
      Object.entries(question.tables ?? {}).map(([name, part]) => [name, `${ref_id}${part}`]),
    )
  return {
    name: 'query_cached_result',
    arguments: { ref_id: `${ref_id}${part}`, ...question, ...(tables ? { tables } : {}) },
  }
}
