import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import type { HttpTransport, StdioTransport } from '../../clients/configured-server.ts'
import { countTokens } from '../../tokens/tokenizer.ts'

/** What a server is like, seen from a client. */
export interface Probed {
  readonly startedInMs: number
  readonly tools: readonly { readonly name: string; readonly description?: string | undefined }[]
  /** What its tools and instructions cost a model with each request. */
  readonly tokens: number
}

/** Starts a server or connects to it, lists its tools, and ends it. @throws Error that says why it did not answer in time */
export async function probe(server: StdioTransport | HttpTransport, deadlineMs: number): Promise<Probed> {
  const client = new Client({ name: 'mcp-refcache-doctor', version: '1' })
  const transport = server.kind === 'stdio' ? startOf(server) : connectionTo(server)
  let lastWords = ''
  if (transport instanceof StdioClientTransport) {
    transport.stderr?.on('data', chunk => {
      lastWords = `${lastWords}${chunk}`.slice(-400)
    })
  }
  const began = performance.now()
  const late = deadline(deadlineMs)
  try {
    await Promise.race([client.connect(transport), late.passed])
    const startedInMs = performance.now() - began
    const tools = await Promise.race([toolsOf(client), late.passed])
    const listed = tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema }))
    const seen = `${client.getInstructions() ?? ''}${JSON.stringify(listed)}`
    return { startedInMs, tools, tokens: await countTokens(seen) }
  } catch (error) {
    throw new Error(
      `${(error as Error).message}${lastWords === '' ? '' : ` It said: ${lastLine(lastWords)}`}`,
    )
  } finally {
    late.clear()
    await client.close().catch(() => {})
  }
}

function startOf({ command, args, env, cwd }: StdioTransport): StdioClientTransport {
  const whole = Object.entries({ ...process.env, ...env }).filter(([, value]) => value !== undefined)
  return new StdioClientTransport({
    command,
    args: [...args],
    env: Object.fromEntries(whole) as Record<string, string>,
    stderr: 'pipe',
    ...(cwd === undefined ? {} : { cwd }),
  })
}

function connectionTo({ url, headers }: HttpTransport): StreamableHTTPClientTransport {
  return new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { ...headers } } })
}

const MAX_PAGES = 100

async function toolsOf(client: Client) {
  if (!client.getServerCapabilities()?.tools) return []
  const tools = []
  let cursor: string | undefined
  for (let page = 0; page < MAX_PAGES; page++) {
    const listed = await client.listTools(cursor === undefined ? {} : { cursor })
    tools.push(...listed.tools)
    cursor = listed.nextCursor
    if (cursor === undefined) break
  }
  return tools
}

function deadline(ms: number): { passed: Promise<never>; clear(): void } {
  let timer: NodeJS.Timeout | undefined
  const passed = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It did not answer within ${ms / 1000} s.`)), ms)
  })
  // Where nobody waits any more.
  passed.catch(() => {})
  return { passed, clear: () => clearTimeout(timer) }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 200) ?? ''
}
