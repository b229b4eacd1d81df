/**
 * One front door: the servers of a client's configuration behind one command. A reference of one server is the input of another,
 * and a server that cannot start leaves the others usable.
 *
 *     npm run build && node examples/front-door/client.ts     (Node 22.18 or newer runs TypeScript itself)
 *
 * Ends well only if all of it was really seen.
 */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'

const file = (specifier: string) => fileURLToPath(import.meta.resolve(specifier))
const folder = mkdtempSync(join(tmpdir(), 'front-door-'))
const data = join(folder, 'data')
mkdirSync(data)

// What a client has already, comments and all.
const configuration = join(folder, 'mcp.json')
writeFileSync(
  configuration,
  `{
  // Three servers of mine.
  "mcpServers": {
    "memory": {
      "command": "node",
      "args": [${JSON.stringify(file('@modelcontextprotocol/server-memory/dist/index.js'))}],
      "env": { "MEMORY_FILE_PATH": "\${DATA:-${folder}}/memory.json" }
    },
    "filesystem": {
      "command": "node",
      "args": [${JSON.stringify(file('@modelcontextprotocol/server-filesystem/dist/index.js'))}, ${JSON.stringify(data)}]
    },
    "gone": { "command": "no-such-server" },
  }
}
`,
)

const command = join(dirname(file('mcp-refcache/package.json')), 'dist/cli/main.js')
const client = new Client({ name: 'agent', version: '1.0.0' })
await client.connect(
  new StdioClientTransport({
    command: process.execPath,
    args: [command, 'wrap', '--store', 'memory', '--log-level', 'silent', '--servers', configuration],
    stderr: 'ignore',
  }),
)

type Answer = { content: { text: string }[]; isError?: boolean }
const call = (name: string, args: Record<string, unknown> = {}) =>
  client.callTool({ name, arguments: args }) as unknown as Promise<Answer>
const textOf = ({ content: [first] }: Answer) => first?.text ?? ''

const names = (await client.listTools()).tools.map(({ name }) => name)
console.log(`${names.length} tools, such as ${names.slice(0, 3).join(', ')}`)
assert(names.includes('memory_read_graph') && names.includes('filesystem_write_file'))
assert.equal(names.filter(name => name === 'get_cached_result').length, 1)

await call('memory_create_entities', {
  entities: Array.from({ length: 500 }, (_, at) => ({
    name: `customer ${at}`,
    entityType: 'customer',
    observations: [`ordered ${at} times`],
  })),
})

// The graph is large: the agent gets a preview, and hands the whole of it to another server, unread.
const { ref_id, is_complete } = JSON.parse(textOf(await call('memory_read_graph')))
assert.equal(is_complete, false)
const copy = join(data, 'graph.json')
await call('filesystem_write_file', { path: copy, content: ref_id })
assert.equal(JSON.parse(readFileSync(copy, 'utf8')).entities.length, 500)
console.log(`memory's graph, ${ref_id}, was written by filesystem`)

const gone = await call('gone_anything')
assert.equal(gone.isError, true)
assert.match(textOf(gone), /The server 'gone' is away/)
console.log(textOf(gone))

await client.close()
rmSync(folder, { recursive: true })
console.log('All was seen that should be.')
