import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Connected, overStdio, script } from './clients.ts'
import { interleave } from './interleave.ts'
import { compared, type Row } from './row.ts'

const PLAN = { rounds: 31, batch: 20 }
const SERVER = [
  fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js')),
  'stdio',
]

/**
 * The echo of server-everything, called directly and through `wrap`. Each message is new, so that every call goes all
 * the way; then one message again and again, which the wrapper may answer itself.
 */
export async function wrapBench(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'refcache-bench-'))
  const direct = await overStdio(SERVER)
  const wrapped = (store: string) =>
    overStdio([script('../src/cli/main.js'), 'wrap', '--store', store, '--', process.execPath, ...SERVER])
  const onSqlite = await wrapped(join(folder, 'cache.db'))
  const inMemory = await wrapped('memory')
  try {
    return [
      await echo('wrap on SQLite, new call each time', onSqlite, direct, fresh),
      await echo('wrap in memory, new call each time', inMemory, direct, fresh),
      await echo('wrap on SQLite, same call again', onSqlite, direct, () => 'hello'),
      await echo('wrap in memory, same call again', inMemory, direct, () => 'hello'),
    ]
  } finally {
    await Promise.all([direct.close(), onSqlite.close(), inMemory.close()])
    rmSync(folder, { recursive: true, force: true })
  }
}

let count = 0
const fresh = () => `hello ${count++}`

async function echo(what: string, ours: Connected, direct: Connected, message: () => string): Promise<Row> {
  const call =
    ({ client }: Connected) =>
    () =>
      client.callTool({ name: 'echo', arguments: { message: message() } })
  const [wrappedMs, directMs] = await interleave([call(ours), call(direct)], PLAN)
  return compared(what, wrappedMs!, 'the same call, direct', directMs!)
}
