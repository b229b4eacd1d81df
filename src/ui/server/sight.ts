import type { Actor } from '../../access/actor.ts'
import type { EntryStatus, Progress } from '../../core/entry.ts'
import type { EntryInfo } from '../../core/entry-info.ts'
import type { RefId } from '../../core/ref.ts'
import type { RefCache } from '../../ref-cache.ts'
import type { Action, Overview, Tokens } from '../api.ts'

/**
 * What somebody who looks at the page may see. There are two: an operator's, of a whole store, and an actor's, of what it may know of
 * one cache. Both leave each decision to the cache.
 */
export interface Sight {
  overview(): Promise<Omit<Overview, 'now'>>
  /** The newest first. A page may hold fewer than its limit, or nothing, and still not be the last. @throws InvalidArgument */
  list(query: ListQuery): Promise<SeenPage>
  /** @throws NotFound */
  entry(refId: RefId): Promise<Seen>
  /** The cache of a reference, and for whom it is asked. @throws NotFound */
  open(refId: RefId): Promise<Opened>
  /** What happened since a look before. The first look says where to begin, and tells nothing. */
  look(since: number | undefined): Promise<SeenChanges>
  /** What was saved since then, an hour each, the oldest first. Absent where that is not for the one who looks. */
  savings(since: Date): Promise<ReadonlyArray<Tokens & { readonly at: Date }>>
}

export interface ListQuery {
  readonly cache?: string | undefined
  readonly tool?: string | undefined
  /** A part of the name of the tool, of the label, or of the reference; upper and lower case are the same. */
  readonly find?: string | undefined
  readonly statuses?: readonly EntryStatus[] | undefined
  readonly limit: number
  readonly cursor?: string | undefined
}

/** An entry as the one who looks may see it. */
export interface Seen
  extends Omit<EntryInfo, 'policy' | 'attempt' | 'progress'>,
    Partial<Pick<EntryInfo, 'attempt'>> {
  readonly progress?: Progress
  readonly startedBy?: string
  readonly owner?: string
  readonly etaSeconds?: number
  readonly retryAt?: Date
  readonly questions?: number
  readonly usedBy?: number
  readonly may: readonly Action[]
}

export interface SeenPage {
  readonly entries: readonly Seen[]
  readonly nextCursor?: string
}

export interface SeenChanges {
  /** False: list everything anew. */
  readonly isComplete: boolean
  readonly changed: readonly Seen[]
  readonly deleted: readonly RefId[]
  /** Where the next look goes on. */
  readonly cursor: number
}

/** A cache, and for whom it is asked. */
export interface Opened {
  readonly cache: RefCache
  readonly actor: Actor
}

/** Who looks. */
export interface Looker {
  readonly sight: Sight
  /** Whose streams are counted together. */
  readonly name: string
  /** Is told what is wrong with the store in its own words. */
  readonly ownsStore?: true
  /** Whether the same request would be let in now, as the same one. */
  readonly isStillIn: () => boolean | Promise<boolean>
}
