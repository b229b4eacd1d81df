/**
 * A calculator whose numbers, vectors and matrices may be references: what one call gave goes into the next one, and no model copies digits.
 * Run it with `client.ts` beside it.
 */
import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { RefCache } from 'mcp-refcache'
import { attachRefCache, SERVER_INSTRUCTIONS } from 'mcp-refcache/mcp'
import { z } from 'zod'

const cache = new RefCache({ name: 'calc' })

const vector = z.array(z.number()).min(1)
const matrix = z.array(vector).min(1)
const exact = { readOnlyHint: true, idempotentHint: true, openWorldHint: false }

serveStdio(() => {
  const server = new McpServer(
    { name: 'calculator', version: '1.0.0' },
    { instructions: SERVER_INSTRUCTIONS },
  )
  // What a calculation gave stays true, so the same one again is a hit.
  const { registerTool } = attachRefCache(server, cache, { envelope: 'always' })
  registerTool(
    'sequence',
    {
      description: 'The first terms of a sequence.',
      inputSchema: z.object({
        kind: z.enum(['primes', 'squares', 'fibonacci']),
        terms: z.int().min(1).max(10_000),
      }),
      annotations: exact,
      memoize: true,
    },
    ({ kind, terms }) => SEQUENCES[kind](terms),
  )
  registerTool(
    'statistics',
    {
      description: 'Count, mean, and least and greatest of some numbers.',
      inputSchema: z.object({ numbers: vector }),
      annotations: exact,
      memoize: true,
    },
    ({ numbers }) => ({
      count: numbers.length,
      mean: numbers.reduce((sum, n) => sum + n, 0) / numbers.length,
      least: numbers.reduce((a, b) => Math.min(a, b)),
      greatest: numbers.reduce((a, b) => Math.max(a, b)),
    }),
  )
  registerTool(
    'multiply',
    {
      description: 'The product of two matrices.',
      inputSchema: z.object({ a: matrix, b: matrix }),
      annotations: exact,
      memoize: true,
    },
    ({ a, b }) => {
      if (a[0]?.length !== b.length) throw new Error(`a has ${a[0]?.length} columns, and b ${b.length} rows`)
      return a.map(row => b[0]!.map((_, column) => row.reduce((sum, x, n) => sum + x * b[n]![column]!, 0)))
    },
  )
  registerTool(
    'add',
    {
      description: 'The sum of two numbers.',
      inputSchema: z.object({ a: z.number(), b: z.number() }),
      annotations: exact,
    },
    ({ a, b }) => a + b,
  )
  return server
})

const SEQUENCES = {
  squares: (terms: number) => Array.from({ length: terms }, (_, n) => (n + 1) ** 2),
  fibonacci(terms: number) {
    const numbers = [1, 1]
    while (numbers.length < terms) numbers.push(numbers.at(-1)! + numbers.at(-2)!)
    return numbers.slice(0, terms)
  },
  primes(terms: number) {
    const numbers: number[] = []
    for (let n = 2; numbers.length < terms; n++)
      if (numbers.every(prime => prime * prime > n || n % prime > 0)) numbers.push(n)
    return numbers
  },
}
