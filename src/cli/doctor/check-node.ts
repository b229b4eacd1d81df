import { hasWalResetBug, loadDriver, type SqliteDriver } from '../../stores/sqlite-driver.ts'
import { type Finding, mend, note, ok } from './finding.ts'

const OLDEST_NODE = 20

/** Node itself, and the SQLite that it has. */
export async function checkNode(version = process.versions.node): Promise<Finding[]> {
  const what = { about: 'node', subject: `Node ${version}` } as const
  const node =
    Number(version.split('.')[0]) < OLDEST_NODE
      ? mend(what, 'mcp-refcache needs Node 20 or newer.', 'Install a current Node.')
      : ok(what, 'is new enough')
  return [node, await checkSqlite()]
}

async function checkSqlite(): Promise<Finding> {
  const what = { about: 'node', subject: 'SQLite' } as const
  try {
    const version = versionOf(await loadDriver())
    return hasWalResetBug(version)
      ? note(
          what,
          `${version} has the WAL-reset bug, which can corrupt a file that several processes write at once.`,
          'Use a newer Node, or a newer @photostructure/sqlite: it is fixed in 3.51.3, 3.50.7 and 3.44.6.',
        )
      : ok(what, version)
  } catch (error) {
    const [why = '', ...rest] = (error as Error).message.split(/(?<=\.)\s/)
    return note(what, `${why} Results are kept in memory until then.`, rest.join(' ') || why)
  }
}

function versionOf({ DatabaseSync }: SqliteDriver): string {
  const database = new DatabaseSync(':memory:')
  try {
    return (database.prepare('SELECT sqlite_version() AS version').get() as { version: string }).version
  } finally {
    database.close()
  }
}
