import { LazyAbort, onAbort } from '../core/abort.ts'
import type { Clock } from '../core/clock.ts'
import { type Entry, isInFlight } from '../core/entry.ts'
import type { EntryEvent, Refusal } from '../core/entry-event.ts'
import { StoreUnavailable } from '../core/errors.ts'
import type { RefId } from '../core/ref.ts'
import { Signal } from '../core/signal.ts'
import { transition } from '../core/transition.ts'
import type { PayloadChanges, Store } from '../stores/store.ts'

/** `entry` is what is stored now; `refused` says why the event did not happen. */
export type Change = { entry: Entry; refused?: Refusal } | { entry?: undefined; refused: 'gone' }

export interface FollowOptions {
  /** How long to follow, in milliseconds; absent: until the task settles. */
  within: number | undefined
  /** Each ends the following, never the task. */
  signals?: ReadonlyArray<AbortSignal | LazyAbort | undefined>
  /** Hears of every change that is seen on the way. */
  onChange?: ((entry: Entry) => void) | undefined
  /** As in `Clock.schedule`: `background` keeps no process alive. */
  kind?: 'background' | undefined
}

/** Each lost race means that somebody else made progress, so this many in a row is a broken store. */
const MAX_RACES = 100

/** Stores that cannot tell of other processes' changes are asked this often; the others, to be safe, rarely. */
const POLL_MS = { unwatched: 200, watched: 2_000 }

/** Hears soon after each change of an entry. */
export interface EntryListener {
  /** @param latest the entry after it, where this process knows it without asking the store */
  onChange(latest: Entry | undefined): void
}

/** An entry that somebody in this process watches. There may be very many, so they are small. */
interface Watched {
  /** Mostly there is one. */
  readonly listeners: EntryListener[]
  /** As this process last wrote or read it; absent when the store told of a change that it does not know. */
  latest: Entry | undefined
  /** The newest version that the store told of. */
  told: number
  /** How often the store told of a change without its version. */
  doubts: number
  /** A change by this process that is under way; it does not reject. */
  writing: Promise<unknown> | undefined
  reading: Promise<Entry | undefined> | undefined
  stopWatching: (() => void) | undefined
}

/**
 * The entries, for all who follow and change them. What somebody in this process watches is known here as it was last seen: what this
 * process wrote itself is not read again, and what another one wrote is read once for all. It decides nothing: every change
 * is stored by version.
 */
export class Entries {
  readonly #watched = new Map<RefId, Watched>()

  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
  ) {}

  /**
   * Applies an event to an entry, whoever else is changing it: transition, compare and set. The entry is read only where this
   * process does not know it, or knows an old version of it.
   * @param known the entry as the caller has it, or its reference
   */
  async change(known: Entry | RefId, event: EntryEvent, parts?: PayloadChanges): Promise<Change> {
    const refId = typeof known === 'string' ? known : known.refId
    let entry = newer(typeof known === 'string' ? undefined : known, this.#watched.get(refId)?.latest)
    let isCurrent = false
    for (let race = 0; race < MAX_RACES; race++) {
      if (!entry) {
        entry = await this.readAnew(refId)
        isCurrent = true
      }
      if (!entry) return { refused: 'gone' }
      const moved = transition(entry, event)
      if (moved.ok) {
        const changes = withIndex(entry, moved.entry, event, parts)
        if (await this.#update(moved.entry, entry.version, changes)) return { entry: moved.entry }
      }
      if (!moved.ok && isCurrent) return { entry, refused: moved.refused }
      entry = undefined
    }
    throw new StoreUnavailable(
      'The store refused an update again and again although nothing stands against it.',
    )
  }

  /**
   * Waits until the task settles, or the time is over, or the caller gives up; gives the entry as it then is, or
   * nothing where it is gone. The wait races the task and never touches it.
   */
  async follow(entry: Entry, options: FollowOptions): Promise<Entry | undefined> {
    const { within, signals = [], onChange, kind } = options
    if (!isInFlight(entry) || within === 0 || signals.some(signal => signal?.aborted)) return entry
    const { refId } = entry
    const changed = new Signal()
    let isOver = false
    const finish = () => {
      isOver = true
      changed.notify()
    }
    const listener = { onChange: () => changed.notify() }
    this.watch(refId, listener)
    const ends = [
      () => this.unwatch(refId, listener),
      this.#lookNowAndThen(refId, () => changed.notify(), kind),
      ...(within === undefined ? [] : [this.clock.schedule(within, finish)]),
      ...signals.flatMap(signal => (signal ? [onAbort(signalOf(signal), finish)] : [])),
    ]
    try {
      let latest = await this.read(refId)
      while (latest && isInFlight(latest) && !isOver) {
        onChange?.(latest)
        await changed.next()
        latest = await this.read(refId)
      }
      return latest
    } finally {
      for (const end of ends) end()
    }
  }

  /** How often to look for what the store does not tell of, in milliseconds. */
  get pollInterval(): number {
    return this.store.capabilities.watch ? POLL_MS.watched : POLL_MS.unwatched
  }

  /**
   * Tells the listener of changes until `unwatch`.
   * @param known the entry, where the caller has just written or received it
   */
  watch(refId: RefId, listener: EntryListener, known?: Entry): void {
    const watched = this.#watched.get(refId)
    if (watched) watched.listeners.push(listener)
    else this.#begin(refId, listener)
    if (known) this.#saw(known)
  }

  /** Twice is safe. */
  unwatch(refId: RefId, listener: EntryListener): void {
    const watched = this.#watched.get(refId)
    const at = watched?.listeners.indexOf(listener) ?? -1
    if (!watched || at < 0) return
    watched.listeners.splice(at, 1)
    if (watched.listeners.length > 0) return
    this.#watched.delete(refId)
    watched.stopWatching?.()
  }

  /** This process has just written or read it. */
  #saw(entry: Entry): void {
    const watched = this.#watched.get(entry.refId)
    if (!watched || entry.version < Math.max(watched.told, watched.latest?.version ?? 0)) return
    watched.latest = entry
  }

  /** Stores a changed entry by version. Who reads it meanwhile waits for the outcome. */
  async #update(entry: Entry, expectedVersion: number, parts?: PayloadChanges): Promise<boolean> {
    const watched = this.#watched.get(entry.refId)
    const updating = this.store.update(entry, expectedVersion, parts)
    if (!watched) return updating
    const { doubts } = watched
    const writing = updating.then(
      stored => {
        if (stored && watched.doubts === doubts) this.#saw(entry)
      },
      () => {},
    )
    watched.writing = writing
    void writing.then(() => {
      if (watched.writing === writing) watched.writing = undefined
    })
    await writing
    return updating
  }

  /** The entry, from the store only where this process does not know it. */
  async read(refId: RefId): Promise<Entry | undefined> {
    const watched = this.#watched.get(refId)
    if (!watched) return this.store.get(refId)
    await watched.writing
    if (watched.latest) return watched.latest
    if (watched.reading) return watched.reading
    const reading = this.store.get(refId)
    watched.reading = reading
    try {
      const entry = await reading
      // Unless something changed while it was read.
      if (entry && watched.reading === reading) this.#saw(entry)
      return entry
    } finally {
      if (watched.reading === reading) watched.reading = undefined
    }
  }

  /** The entry as the store has it now. */
  readAnew(refId: RefId): Promise<Entry | undefined> {
    this.#doubt(refId)
    return this.read(refId)
  }

  /** What this process knows may be old: the next to read it asks the store. */
  #doubt(refId: RefId): void {
    const watched = this.#watched.get(refId)
    if (!watched) return
    watched.doubts++
    watched.latest = undefined
    watched.reading = undefined
  }

  /** For what a store does not tell of. */
  #lookNowAndThen(refId: RefId, look: () => void, kind?: 'background'): () => void {
    const lookAgain = () => {
      this.#doubt(refId)
      look()
      end = again()
    }
    const again = () => this.clock.schedule(this.pollInterval, lookAgain, kind)
    let end = again()
    return () => end()
  }

  #begin(refId: RefId, first: EntryListener): void {
    const watched: Watched = {
      // One that is pushed to an empty list would have room for sixteen more.
      listeners: [first],
      latest: undefined,
      told: 0,
      doubts: 0,
      writing: undefined,
      reading: undefined,
      stopWatching: undefined,
    }
    this.#watched.set(refId, watched)
    watched.stopWatching = this.store.watch(refId, version => {
      if (version === undefined) this.#doubt(refId)
      else if (version > (watched.latest?.version ?? 0)) watched.latest = watched.reading = undefined
      watched.told = Math.max(watched.told, version ?? 0)
      const { latest, listeners } = watched
      if (listeners.length === 1) listeners[0]?.onChange(latest)
      else for (const listener of [...listeners]) listener.onChange(latest)
    })
  }
}

/** Made only for who really waits. */
function signalOf(signal: AbortSignal | LazyAbort): AbortSignal {
  return signal instanceof LazyAbort ? signal.signal : signal
}

/** The index beside an entry is that of the segments which it names: of what was appended, or of its value. */
function withIndex(
  before: Entry,
  after: Entry,
  event: EntryEvent,
  parts: PayloadChanges | undefined,
): PayloadChanges | undefined {
  if (after.appended) {
    if (event.type === 'append' || !parts || !('index' in parts)) return parts
    const { index: _, ...others } = parts
    return others
  }
  return before.appended ? { index: undefined, ...parts } : parts
}

function newer(one: Entry | undefined, other: Entry | undefined): Entry | undefined {
  return one && other ? (other.version > one.version ? other : one) : (one ?? other)
}
