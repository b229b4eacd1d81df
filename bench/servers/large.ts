import { createInterface } from 'node:readline'
import { LARGE_RESULTS, type LargeResult } from '../large-results.ts'

/** A server with a tool for each large result, in a few lines. */
const names = Object.keys(LARGE_RESULTS)
const toolNamed = (name: string) => name.replaceAll(' ', '_')
const answers: Record<string, (params: { name: string; arguments: { bytes: number } }) => object> = {
  initialize: () => ({
    protocolVersion: '2025-06-18',
    capabilities: { tools: {} },
    serverInfo: { name: 'large', version: '1.0.0' },
  }),
  'tools/list': () => ({
    tools: names.map(name => ({ name: toolNamed(name), inputSchema: { type: 'object' } })),
  }),
  'tools/call': ({ name, arguments: { bytes } }) => {
    const kind = names.find(one => toolNamed(one) === name) as LargeResult
    return LARGE_RESULTS[kind](bytes)
  },
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line)
  if (id === undefined) continue
  const result = answers[method]?.(params) ?? {}
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`)
}
