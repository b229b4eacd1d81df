import { InvalidArgument } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Sql } from './sql.ts'
import { SqlEngine } from './sql-engine.ts'
import type { SqlLimits } from './sql-process.ts'
import { type ChildPlaceOptions, childPlace } from './where.ts'

export interface SqlOptions extends ChildPlaceOptions {
  /** False: there is no SQL, whatever the place. */
  readonly enabled: boolean
  readonly limits: SqlLimits
}

/** SQL for a cache. Where it can run is looked at when somebody first needs to know; that it cannot is logged once. */
export function openSql({ enabled, limits, ...place }: SqlOptions, logger: Logger): Sql {
  let found: { readonly engine: SqlEngine } | { readonly reason: string } | undefined
  const find = () => {
    if (found) return found
    const where = enabled ? childPlace(place) : { reason: 'the cache was made without it' }
    found = 'reason' in where ? where : { engine: new SqlEngine(where, limits, giveUp) }
    if (enabled && 'reason' in found) logger.warn(notOffered(found.reason))
    return found
  }
  /** Where nothing can be started, nobody is offered it from now on. */
  const giveUp = (reason: string) => {
    if (found && 'reason' in found) return
    found = { reason }
    logger.warn(notOffered(reason))
  }
  const engineOrRefuse = () => {
    const sql = find()
    if ('engine' in sql) return sql.engine
    throw new InvalidArgument(`Questions in SQL cannot be answered here: ${sql.reason}.`)
  }
  return {
    get unavailable() {
      const sql = find()
      return 'reason' in sql ? sql.reason : undefined
    },
    check: sql => engineOrRefuse().check(sql),
    ask: async question => engineOrRefuse().ask(question),
    async close() {
      if (found && 'engine' in found) await found.engine.close()
    },
  }
}

function notOffered(reason: string): string {
  return `Questions in SQL are not offered: ${reason}`
}
