import { matchesGlob } from '../../access/pattern.ts'
import { retryWhileAway } from '../../core/backoff.ts'
import type { Entry } from '../../core/entry.ts'
import { InvalidArgument } from '../../core/errors.ts'
import { checkNames } from '../../core/options.ts'
import type { Tool } from '../../core/tool.ts'
import type { Engine } from '../engine.ts'
import { scan } from '../operate/list.ts'

/** Which memoized results are outdated. What is left out does not matter; at least one is given. */
export interface Invalidation {
  /** Results with any of these tags (`ToolOptions.tags`). */
  tags?: readonly string[] | undefined
  /** Results of this tool, or of the tools that match a pattern in which each `*` stands for any text. */
  tool?: string | undefined
}

/**
 * Frees the keys of memoized results, finished or in flight, in every namespace: the next identical call runs anew, in every
 * process of the store. References that were given stay, and their tasks run on. Says how many keys were freed.
 *
 * @throws InvalidArgument, StoreUnavailable
 */
export async function invalidate(engine: Engine, invalidation: Invalidation): Promise<number> {
  checkNames<Invalidation>(invalidation, { tags: true, tool: true }, 'invalidate')
  const { tags, tool } = invalidation
  if (tags === undefined && tool === undefined) {
    throw new InvalidArgument('invalidate needs tags or a tool. To delete everything, use clear().')
  }
  return freeKeys(
    engine,
    entry =>
      (tags === undefined || (entry.tags ?? []).some(tag => tags.includes(tag))) &&
      (tool === undefined || matchesGlob(tool, entry.toolName ?? '')),
  )
}

/**
 * A handler that makes results of other tools outdated: their keys are freed before it runs, and when it has ended, however
 * it did, before anybody hears of it. What was read in between may be of the state before.
 */
export async function whileInvalidating<Result>(
  engine: Engine,
  { invalidates }: Tool,
  work: () => Promise<Result>,
): Promise<Result> {
  const free = () =>
    freeKeys(engine, ({ toolName = '' }) => invalidates.some(pattern => matchesGlob(pattern, toolName)))
  await free()
  try {
    return await work()
  } finally {
    await retryWhileAway(free, engine.clock, engine.stopping)
  }
}

/** Frees one key. @returns whether the entry held one */
async function freeKey(engine: Engine, entry: Entry): Promise<boolean> {
  if (entry.key === undefined) return false
  const { refused } = await engine.entries.change(entry, { type: 'yield-key' })
  return refused === undefined
}

/** Frees the key that a call would ask for. @returns whether an entry held it */
export async function freeKeyOf(
  engine: Engine,
  { key }: { readonly key: string | undefined },
): Promise<boolean> {
  if (key === undefined) return false
  const entry = await engine.store.findByKey(engine.name, key, engine.clock.now())
  return entry !== undefined && freeKey(engine, entry)
}

async function freeKeys(engine: Engine, isOutdated: (entry: Entry) => boolean): Promise<number> {
  // Nor does a call of this process follow a run that is not memoized.
  engine.sharedRuns.beginWrite()()
  let freed = 0
  for await (const { entry } of scan(engine, { statuses: ['pending', 'processing', 'complete'] })) {
    if (isOutdated(entry) && (await freeKey(engine, entry))) freed++
  }
  return freed
}
