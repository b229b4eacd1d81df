import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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
    several: await overStdio([WRAP, 'wrap', ...inMemory, '--servers', severalIn(folder)]),
  }
  try {
    const fresh = await echo(peers, () => `hello ${count++}`)
    const again = await echo(peers, () => 'hello')
    return [
      compared('only a pipe', fresh.pipe, 'the same call, direct', fresh.direct),
      compared('wrap on SQLite, new call each time', fresh.sqlite, PIPED, fresh.pipe),
      compared('wrap in memory, new call each time', fresh.memory, PIPED, fresh.pipe),
      compared('wrap --servers (three), new call each time', fresh.several, PIPED, fresh.pipe),
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
const NAMES = ['direct', 'pipe', 'sqlite', 'memory', 'memoSqlite', 'memoMemory', 'several'] as const
type Name = (typeof NAMES)[number]
type Peers = Readonly<Record<Name, Connected>>

function wrapped(options: readonly string[]): Promise<Connected> {
  return overStdio([WRAP, 'wrap', ...options, '--', process.execPath, ...SERVER])
}

/** A configuration with that server and two others. */
function severalIn(folder: string): string {
  const [command, ...args] = [process.execPath, ...SERVER]
  const other = fileURLToPath(
    import.meta.resolve('@modelcontextprotocol/server-sequential-thinking/dist/index.js'),
  )
  const idle = { command, args: [other] }
  const path = join(folder, 'servers.json')
  writeFileSync(path, JSON.stringify({ mcpServers: { everything: { command, args }, one: idle, two: idle } }))
  return path
}

let count = 0

/** Milliseconds of one call to each, in turn. */
async function echo(peers: Peers, message: () => string): Promise<Record<Name, number>> {
  const call =
    ({ client }: Connected, name: string) =>
    () =>
      client.callTool({ name, arguments: { message: message() } })
  const times = await interleave(
    NAMES.map(name => call(peers[name], name === 'several' ? 'everything_echo' : 'echo')),
    PLAN,
  )
  return Object.fromEntries(NAMES.map((name, at) => [name, times[at]!])) as Record<Name, number>
}
