import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { script } from './clients.ts'
import { LARGE_RESULTS } from './large-results.ts'
import { alone, type Pauses } from './pause.ts'
import type { Row } from './row.ts'

/** As it ships. */
const WRAP = script('../../../dist/cli/main.js')

/** How long a result of so many bytes from a wrapped server holds the loop of `wrap`: from the call to its preview. */
export async function wrapPauses(bytes: number): Promise<Row[]> {
  const rows: Row[] = []
  for (const what of Object.keys(LARGE_RESULTS)) {
    rows.push(alone(`wrap: a result of ${what}`, await callThrough(what.replaceAll(' ', '_'), bytes)))
  }
  return rows
}

async function callThrough(tool: string, bytes: number): Promise<Pauses & { ms: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'refcache-bench-'))
  const watched = [
    '--import',
    script('./servers/watch-loop.js'),
    WRAP,
    'wrap',
    '--store',
    join(folder, 'cache.db'),
  ]
  const wrapped = spawn(
    process.execPath,
    [...watched, '--', process.execPath, script('./servers/large.js')],
    {
      stdio: ['pipe', 'pipe', 'ignore', 'ipc'],
    },
  )
  const { stdin, stdout } = wrapped
  if (!stdin || !stdout) throw new Error('The command has no pipes.')
  const answers = createInterface({ input: stdout })[Symbol.asyncIterator]()
  let id = 0
  const ask = async (method: string, params: object) => {
    stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: ++id, method, params })}\n`)
    for (;;) {
      const { done, value } = await answers.next()
      if (done) throw new Error('The command ended.')
      const answer = JSON.parse(value)
      if (answer.id !== id) continue
      if (answer.error || answer.result.isError) throw new Error(value.slice(0, 500))
      return answer.result
    }
  }
  const pausesSinceLast = async () => {
    wrapped.send('read')
    return (await once(wrapped, 'message'))[0] as Pauses
  }
  try {
    const clientInfo = { name: 'bench', version: '1.0.0' }
    await ask('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo })
    stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`)
    // What is loaded at the first preview is no matter of size.
    await ask('tools/call', { name: tool, arguments: { bytes: 200_000 } })
    await pausesSinceLast()
    const start = performance.now()
    // On a busy machine it may take longer than a call waits.
    let { structuredContent: answer } = await ask('tools/call', { name: tool, arguments: { bytes } })
    while (answer?.is_async) {
      const { ref_id } = answer
      answer = (await ask('tools/call', { name: 'get_cached_result', arguments: { ref_id } }))
        .structuredContent
    }
    return { ms: performance.now() - start, ...(await pausesSinceLast()) }
  } finally {
    wrapped.kill()
    await once(wrapped, 'exit')
    rmSync(folder, { recursive: true, force: true })
  }
}
