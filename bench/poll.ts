import { type Connected, overHttp, overStdio, script } from './clients.ts'
import { interleave } from './interleave.ts'
import { compared, type Row } from './row.ts'

const PLAN = { rounds: 31, batch: 50 }

/** A poll of a finished reference against the least that a tool of the bare SDK can do, over the same transport. */
export async function pollBench(): Promise<Row[]> {
  const stdio = script('servers/stdio.js')
  const http = script('servers/http.js')
  return [
    await poll('stdio', await overStdio([stdio, 'references']), await overStdio([stdio, 'echo'])),
    await poll('HTTP', await overHttp([http, 'references']), await overHttp([http, 'echo'])),
  ]
}

async function poll(transport: string, ours: Connected, theirs: Connected): Promise<Row> {
  try {
    const first = await ours.client.callTool({ name: 'remember', arguments: { text: 'hello' } })
    const { ref_id } = first.structuredContent as { ref_id: string }
    const [pollMs, echoMs] = await interleave(
      [
        () => ours.client.callTool({ name: 'get_cached_result', arguments: { ref_id } }),
        () => theirs.client.callTool({ name: 'echo', arguments: { text: 'hello' } }),
      ],
      PLAN,
    )
    return compared(`poll over ${transport}`, pollMs!, 'bare SDK echo', echoMs!)
  } finally {
    await Promise.all([ours.close(), theirs.close()])
  }
}
