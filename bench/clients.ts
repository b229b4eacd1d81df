import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'

export interface Connected {
  readonly client: Client
  close(): Promise<void>
}

export const script = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export async function overStdio(
  args: readonly string[],
  env: Record<string, string> = {},
  options: ConnectOptions = {},
): Promise<Connected> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [...args],
    env: { ...(process.env as Record<string, string>), ...env },
    stderr: 'ignore',
  })
  return connect(transport, options)
}

export async function overHttp(args: readonly string[]): Promise<Connected> {
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [port] = (await once(server.stdout, 'data')) as [Buffer]
  const url = new URL(`http://127.0.0.1:${Number(port)}/mcp`)
  return connect(new StreamableHTTPClientTransport(url), { server })
}

interface ConnectOptions {
  readonly server?: ChildProcess
  readonly clientName?: string | undefined
  readonly mode?: 'auto' | 'legacy'
}

async function connect(
  transport: Transport,
  { server, clientName = 'bench', mode = 'auto' }: ConnectOptions,
): Promise<Connected> {
  const client = new Client({ name: clientName, version: '1.0.0' }, { versionNegotiation: { mode } })
  await client.connect(transport)
  return {
    client,
    async close() {
      await client.close()
      server?.kill()
    },
  }
}
