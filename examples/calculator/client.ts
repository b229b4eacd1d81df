/**
 * What an agent sees of `server.ts`: references as input, also parts of them. Ends well only if all of it was really seen.
 *
 *     npm run build && node examples/calculator/client.ts     (Node 22.18 or newer runs TypeScript itself)
 */
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'

const [extension] = /\.\w+$/.exec(import.meta.url) ?? []
const server = fileURLToPath(new URL(`server${extension}`, import.meta.url))
const client = new Client({ name: 'example', version: '1.0.0' })
await client.connect(
  new StdioClientTransport({ command: process.execPath, args: [...process.execArgv, server] }),
)

interface Answer {
  readonly ref_id: string
  readonly is_complete?: boolean
  readonly value?: unknown
  readonly total_items?: number
  readonly error?: { code: string; message: string }
}

async function call(name: string, args: Record<string, unknown>): Promise<Answer> {
  const { structuredContent } = await client.callTool({ name, arguments: args })
  console.log(`${name}:`, JSON.stringify(structuredContent).slice(0, 160))
  return structuredContent as unknown as Answer
}

// Ten thousand primes are a preview. The next tool gets all of them, by their reference.
const primes = await call('sequence', { kind: 'primes', terms: 10_000 })
assert.equal(primes.is_complete, false)
assert.equal(primes.total_items, 10_000)
const { value } = await call('statistics', { numbers: primes.ref_id })
assert.deepEqual(value, { count: 10_000, mean: 49_616.5411, least: 2, greatest: 104_729 })

// A part of a reference is a number, where a number is wanted: the last prime, and the third square.
const squares = await call('sequence', { kind: 'squares', terms: 5 })
const sum = await call('add', { a: `${primes.ref_id}#/9999`, b: `${squares.ref_id}#/2` })
assert.equal(sum.value, 104_738)

// References go deep: here they are the rows of a matrix.
const rows = [squares.ref_id, (await call('sequence', { kind: 'primes', terms: 5 })).ref_id]
const product = await call('multiply', { a: rows, b: [[1], [0], [0], [0], [2]] })
assert.deepEqual(product.value, [[51], [24]])

// What comes of it is a reference again: calculations go on from each other.
const doubled = await call('multiply', { a: [[2, 2]], b: product.ref_id })
assert.deepEqual(doubled.value, [[150]])

// What is behind a reference is checked like any argument, and a reference of nobody is an error that says what to do.
const wrong = await call('statistics', { numbers: product.ref_id })
assert.equal(wrong.error?.code, 'invalid_argument')
const unknown = await call('statistics', { numbers: `calc:${'0'.repeat(32)}` })
assert.equal(unknown.error?.code, 'not_found')

await client.close()
console.log('All was seen: ten thousand numbers that went from tool to tool, and no model copied one.')
