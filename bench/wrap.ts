import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Connected, overStdio, script } from './clients.ts'
import { interleave } from './interleave.ts'
import { compared, type Row } from './row.ts'

const PLAN = { rounds: 31, batch: 20 }
/** As it ships. */
const WRAP = script('../../../dist/cli/main.js')
const SERVER = [
  fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js')),
  'stdio',
]

const PIPE = [script('./servers/pipe.js'), process.execPath, ...SERVER]

/**
 * The echo of server-everything, asked for through `wrap` and through a process that only pipes bytes, which is what any
 * process in front of a server costs. Each message is new, so that every call goes all the way; then one message again and
 * again, which the wrapper may answer itself where it was told to (`--memoize`).
 */
export async function wrapBench(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'refcache-bench-'))
  const onSqlite = ['--store', join(folder, 'cache.db')]
  const inMemory = ['--store', 'memory']
  const memoized = ['--memoize', 'echo']
  const peers: Peers = {
    direct: await overStdio(SERVER),
    pipe: await overStdio(PIPE),
    sqlite: await wrapped(onSqlite),
    memory: await wrapped(inMemory),
    memoSqlite: await wrapped([...onSqlite, ...memoized]),
    memoMemory: await wrapped([...inMemory, ...memoized]),
  }
  try {
    const fresh = await echo(peers, () => `hello ${count++}`)
    const again = await echo(peers, () => 'hello')
    return [
      compared('only a pipe', fresh.pipe, 'the same call, direct', fresh.direct),
      compared('wrap on SQLite, new call each time', fresh.sqlite, PIPED, fresh.pipe),
      compared('wrap in memory, new call each time', fresh.memory, PIPED, fresh.pipe),
      compared('wrap --memoize on SQLite, new call each time', fresh.memoSqlite, PIPED, fresh.pipe),
      compared('wrap --memoize on SQLite, same call again', again.memoSqlite, PIPED, again.pipe),
      compared('wrap --memoize in memory, same call again', again.memoMemory, PIPED, again.pipe),
    ]
  } finally {
    await Promise.all(Object.values(peers).map(peer => peer.close()))
    rmSync(folder, { recursive: true, force: true })
  }
}

const PIPED = 'the same call, through a pipe'
const NAMES = ['direct', 'pipe', 'sqlite', 'memory', 'memoSqlite', 'memoMemory'] as const
type Name = (typeof NAMES)[number]
type Peers = Readonly<Record<Name, Connected>>

function wrapped(options: readonly string[]): Promise<Connected> {
  return overStdio([WRAP, 'wrap', ...options, '--', process.execPath, ...SERVER])
}

let count = 0

/** Milliseconds of one call to each, in turn. */
async function echo(peers: Peers, message: () => string): Promise<Record<Name, number>> {
  const call =
    ({ client }: Connected) =>
    () =>
      client.callTool({ name: 'echo', arguments: { message: message() } })
  const times = await interleave(
    NAMES.map(name => call(peers[name])),
    PLAN,
  )
  return Object.fromEntries(NAMES.map((name, at) => [name, times[at]!])) as Record<Name, number>
}
