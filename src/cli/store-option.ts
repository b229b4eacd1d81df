import { existsSync } from 'node:fs'
import type { Command } from '@commander-js/extra-typings'
import { NotFound, RefCacheError, StoreUnavailable, TaskNotReady } from '../core/errors.ts'
import { cacheNameOf, isRefOf, type RefId } from '../core/ref.ts'
import { type Inspector, openInspector } from '../inspect/index.ts'
import { encryptedStore } from '../stores/encrypted.ts'
import { redisStore } from '../stores/redis.ts'
import { sqliteStore } from '../stores/sqlite.ts'
import { defaultPath, isWritable, pathOf } from '../stores/sqlite-place.ts'
import type { Store } from '../stores/store.ts'
import { CommandFailed, EXIT, usage } from './exit.ts'
import { checked, text } from './option-values.ts'
import { KEYS_VARIABLE, keySourceOf } from './wrap-options.ts'

/** What the commands for a store have in common. */
export interface StoreValues {
  readonly store?: string | undefined
  readonly encrypt?: boolean | undefined
  readonly encryptKeyFile?: string | undefined
}

/** Adds what says which store is meant. */
export function withStoreOptions<Args extends unknown[], Values extends Record<string, unknown>>(
  command: Command<Args, Values>,
) {
  return command
    .optionsGroup('The store:')
    .option(
      '--store <where>',
      "a SQLite file, or redis://host:port ($XDG_CACHE_HOME/mcp-refcache/cache-3.db, as 'wrap' has it)",
      text('--store'),
    )
    .option('--encrypt', `it is encrypted, with the keys in $${KEYS_VARIABLE}`)
    .option('--encrypt-key-file <file>', 'the same with the keys from a file', text('--encrypt-key-file'))
}

/**
 * A store that is there already: to look for something makes no file.
 * @throws CommandFailed
 */
export function existingStore(
  values: StoreValues,
  { env = process.env, readOnly = false }: { env?: NodeJS.ProcessEnv; readOnly?: boolean } = {},
): Store {
  const keys = keySourceOf(values, env)
  const store = plainStore(values.store, keys !== undefined, readOnly)
  return keys ? encryptedStore(store, { keys }) : store
}

function plainStore(where: string | undefined, isEncrypted: boolean, readOnly: boolean): Store {
  if (where !== undefined && /^rediss?:\/\//.test(where)) return checked(() => redisStore(where))
  if (where === 'memory') throw usage('A store in memory is known to its own process alone.')
  const path = checked(() => pathOf(where ?? defaultPath(isEncrypted ? 'encrypted' : 'cache')))
  // Whoever may only read a store can read its values, too.
  if (existsSync(path)) return sqliteStore(path, { readOnly: readOnly || !isWritable(path) })
  throw new CommandFailed(
    EXIT.store,
    'store_unavailable',
    `There is no store at ${path}: nothing was kept there yet. Say where it is with --store.`,
  )
}

/**
 * Looks at a store, and changes nothing there.
 * @throws CommandFailed in the place of the errors of the store
 */
export async function withInspector<T>(
  values: StoreValues,
  look: (inspector: Inspector) => Promise<T>,
): Promise<T> {
  const inspector = openInspector(existingStore(values, { readOnly: true }))
  try {
    return await look(inspector)
  } catch (error) {
    throw toFailure(error)
  } finally {
    await inspector.close()
  }
}

/** Fewer digits are sooner or later those of another reference, too. */
const LEAST_DIGITS = 4

/** @throws CommandFailed, StoreUnavailable */
export async function referenceOf(store: Pick<Inspector, 'match'>, given: string): Promise<RefId> {
  if (isRefOf(cacheNameOf(given), given)) return given
  const [, beginning] = /^(.+:[0-9a-f]+)(?:…|\.\.\.)?$/.exec(given) ?? []
  if (beginning === undefined || beginning.length - beginning.lastIndexOf(':') <= LEAST_DIGITS) {
    throw usage(
      `'${given}' is no reference: it is the cache's name, a colon and 32 hexadecimal digits, of which the first ${LEAST_DIGITS} are enough. See ls.`,
    )
  }
  const [found, ...others] = await store.match(beginning, 2)
  if (found === undefined)
    throw new CommandFailed(EXIT.notFound, 'not_found', `No reference begins with ${beginning}.`)
  if (others.length > 0)
    throw usage(`More than one reference begins with ${beginning}: give more of its digits.`)
  return found
}

/** An error of the cache or its store, as the command that failed. */
export function toFailure(error: unknown): unknown {
  if (!(error instanceof RefCacheError)) return error
  return new CommandFailed(exitCodeOf(error), error.code, error.message)
}

function exitCodeOf(error: RefCacheError): number {
  if (error instanceof NotFound) return EXIT.notFound
  if (error instanceof TaskNotReady) return EXIT.notReady
  return error instanceof StoreUnavailable ? EXIT.store : EXIT.failed
}
