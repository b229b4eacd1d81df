import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { loadDriver, type SqliteDatabase } from '../../stores/sqlite-driver.ts'
import { APPLICATION_ID } from '../../stores/sqlite-file.ts'
import { defaultPath, pathOf } from '../../stores/sqlite-place.ts'
import { checkRedis } from './check-redis.ts'
import { type Finding, mend, ok } from './finding.ts'

/** To look through a larger one takes minutes. */
const MAX_CHECKED_BYTES = 1024 ** 3

/** A store, or those that are used where none is named. It is only read. */
export async function checkStore(where: string | undefined): Promise<Finding[]> {
  if (where === 'memory') return []
  if (where !== undefined && /^rediss?:\/\//i.test(where)) return checkRedis(where)
  try {
    if (where !== undefined) return await checkFile(pathOf(where))
    const paths = [defaultPath('cache'), defaultPath('encrypted')].filter(existsSync)
    if (paths.length > 0) return (await Promise.all(paths.map(checkFile))).flat()
    return [ok({ about: 'store', subject: defaultPath('cache') }, 'is not there yet: wrap makes it')]
  } catch (error) {
    return [
      mend(
        { about: 'store', subject: where ?? 'the default store' },
        (error as Error).message,
        'Name a file with --store.',
      ),
    ]
  }
}

async function checkFile(path: string): Promise<Finding[]> {
  const what = { about: 'store', subject: path } as const
  if (!existsSync(path))
    return [mend(what, 'is not there.', 'Check the path: wrap makes a new file where there is none.')]
  return [...checkModes(path), await checkContent(path)]
}

function checkModes(path: string): Finding[] {
  if (process.platform === 'win32') return []
  return [path, `${path}-wal`, `${path}-shm`].flatMap(file => {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0
    if ((mode & 0o077) === 0) return []
    return mend(
      { about: 'store', subject: file },
      `can be opened by others on this machine (mode ${(mode & 0o777).toString(8)}).`,
      `chmod 600 '${file}', and chmod 700 '${dirname(file)}' where nobody else needs that folder.`,
    )
  })
}

async function checkContent(path: string): Promise<Finding> {
  const what = { about: 'store', subject: path } as const
  let database: SqliteDatabase | undefined
  try {
    const { DatabaseSync } = await loadDriver()
    database = new DatabaseSync(path, { readOnly: true })
    return contentOf(database, path)
  } catch (error) {
    return mend(
      what,
      `cannot be read: ${(error as Error).message}`,
      `If it is damaged, move it away; wrap begins a new one.`,
    )
  } finally {
    database?.close()
  }
}

function contentOf(database: SqliteDatabase, path: string): Finding {
  const what = { about: 'store', subject: path } as const
  if (first(database, 'PRAGMA application_id') !== APPLICATION_ID) {
    return mend(what, 'is a database of another program.', 'Name another file with --store.')
  }
  const entries = Number(first(database, 'SELECT count(*) FROM entries'))
  const bytes = statSync(path).size
  if (bytes <= MAX_CHECKED_BYTES) {
    const integrity = String(first(database, 'PRAGMA quick_check(1)'))
    if (integrity !== 'ok') {
      return mend(what, `is damaged: ${integrity.slice(0, 200)}`, 'Move it away; wrap begins a new one.')
    }
  }
  const size = `${entries} entries, ${(bytes / 1024 ** 2).toFixed(1)} MB`
  return ok(
    what,
    bytes > MAX_CHECKED_BYTES ? `${size}; too large to look for damage` : `${size}, no damage`,
    { entries, bytes },
  )
}

function first(database: SqliteDatabase, sql: string): unknown {
  return Object.values(database.prepare(sql).get() as object)[0]
}
