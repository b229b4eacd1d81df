import { createInterface } from 'node:readline'

/** A server that starts as quickly as Node does: it answers whatever is asked, and uses no package. */
createInterface({ input: process.stdin }).on('line', line => {
  const { id, params } = JSON.parse(line) as { id?: number; params?: { protocolVersion?: string } }
  if (id === undefined) return
  const result = {
    protocolVersion: params?.protocolVersion ?? '2025-11-25',
    capabilities: { tools: {} },
    serverInfo: { name: 'small', version: '1' },
  }
  console.log(JSON.stringify({ jsonrpc: '2.0', id, result }))
})
