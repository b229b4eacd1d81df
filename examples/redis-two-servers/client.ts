/**
 * Two replicas of one server share Redis: a call at the one is followed at the other, runs once for both, and outlives the one that began
 * it. It needs redis-server. Ends well only if all of it was really seen.
 *
 *     npm run build && node examples/redis-two-servers/client.ts     (Node 22.18 or newer runs TypeScript itself)
 */
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { startRedis } from '../redis-server.ts'

const redis = await startRedis()
const [extension] = /\.\w+$/.exec(import.meta.url) ?? []

interface Answer {
  readonly ref_id: string
  readonly status: string
  readonly progress?: { message: string }
  readonly value?: { madeBy: string; total: number }
}

async function replica(name: string) {
  const client = new Client({ name: 'example', version: '1.0.0' })
  const server = fileURLToPath(new URL(`server${extension}`, import.meta.url))
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [...process.execArgv, server, redis.url, name],
    stderr: 'ignore',
  })
  await client.connect(transport)
  const call = async (tool: string, args: Record<string, unknown>) => {
    const { structuredContent } = await client.callTool({ name: tool, arguments: args })
    console.log(`${name}, ${tool}:`, JSON.stringify(structuredContent).slice(0, 180))
    return structuredContent as unknown as Answer
  }
  return { call, kill: () => process.kill(transport.pid!, 'SIGKILL'), close: () => client.close() }
}

const [first, second] = await Promise.all([replica('first'), replica('second')])
try {
  // The same question at both, at once: it is worked on once, under one reference.
  const handles = await Promise.all([
    first.call('report', { year: 2024 }),
    second.call('report', { year: 2024 }),
  ])
  assert.deepEqual([...new Set(handles.map(({ status }) => status))], ['processing'])
  assert.equal(handles[0].ref_id, handles[1].ref_id)
  const { ref_id } = handles[0]

  // Either replica answers for it, with the progress of whichever does the work.
  const results = await Promise.all([
    first.call('get_cached_result', { ref_id, wait_seconds: 10 }),
    second.call('get_cached_result', { ref_id, wait_seconds: 10 }),
  ])
  assert.deepEqual(results[0].value, results[1].value)
  assert.equal(results[0].value?.total, 24_288)

  // The first one dies in the middle of its work. The second takes it up, under the same reference.
  const begun = await first.call('report', { year: 2025 })
  const seen = await second.call('get_cached_result', { ref_id: begun.ref_id, wait_seconds: 0 })
  assert.equal(seen.status, 'processing')
  first.kill()
  console.log('The first replica was killed.')
  const rescued = await second.call('get_cached_result', { ref_id: begun.ref_id, wait_seconds: 20 })
  assert.equal(rescued.status, 'complete')
  assert.equal(rescued.value?.madeBy, 'second')

  // A replica that comes new finds what the others made.
  const third = await replica('third')
  assert.equal((await third.call('report', { year: 2025 })).ref_id, begun.ref_id)
  await third.close()
} finally {
  await Promise.allSettled([first.close(), second.close()])
  await redis.stop()
}
console.log(
  'All was seen: one run for two replicas, a handle that both answer for, and work that outlived its process.',
)
