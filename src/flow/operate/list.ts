import type { ListPlace } from '../../core/cursor.ts'
import { type Entry, type EntryStatus, isExpired } from '../../core/entry.ts'
import { hideSession, hidesSession } from '../../core/hidden-session.ts'
import type { Engine } from '../engine.ts'

/** How many entries are read at once; the event loop turns after each batch. */
const BATCH = 500

export interface ScanFilter {
  /** One namespace, also as operators are shown it: with its session hidden. */
  readonly namespace?: string | undefined
  readonly statuses?: readonly EntryStatus[] | undefined
  readonly after?: ListPlace | undefined
  readonly oldestFirst?: boolean
  /** Ends the scan with its reason before the next batch. */
  readonly signal?: AbortSignal | undefined
}

/** An entry that was looked at, and whether it is one of those that were asked for. */
export interface Scanned {
  readonly entry: Entry
  readonly wanted: boolean
}

/** Looks at a cache's entries, the newest first unless told otherwise. What has expired is not wanted, whether or not it was swept yet. */
export async function* scan(engine: Engine, filter: ScanFilter): AsyncGenerator<Scanned> {
  const { namespace, statuses } = filter
  const isInside = namespaceFilter(engine, namespace)
  const hidden = namespace !== undefined && hidesSession(namespace)
  for (let after = filter.after; ; ) {
    filter.signal?.throwIfAborted()
    const batch: Entry[] = await engine.store.list({
      cacheName: engine.name,
      limit: BATCH,
      newestFirst: !filter.oldestFirst,
      ...(namespace === undefined || hidden ? {} : { namespace }),
      ...(statuses ? { statuses } : {}),
      ...(after === undefined ? {} : { after }),
    })
    const now = engine.clock.expiryNow()
    for (const entry of batch) {
      yield { entry, wanted: isInside(entry.namespace) && !isExpired(entry, now) }
    }
    if (batch.length < BATCH) return
    after = batch.at(-1)
    await new Promise<void>(resolve => setImmediate(resolve))
  }
}

/** Whether a namespace is the one that is asked for, by its name or as operators are shown it. @throws InvalidArgument */
export function namespaceFilter(engine: Engine, wanted: string | undefined): (namespace: string) => boolean {
  if (wanted === undefined) return () => true
  if (hidesSession(wanted)) return namespace => hideSession(namespace) === wanted
  engine.access.rule(wanted)
  return namespace => namespace === wanted
}
