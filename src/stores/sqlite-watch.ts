import type { RefId } from '../core/ref.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import type { SqliteRecords } from './sqlite-records.ts'
import type { OnChange } from './store.ts'
import { Watchers } from './watchers.ts'

/**
 * Who listens to which entry of a file. Own changes are told at once. Those of other processes are looked for as long as somebody listens:
 * first whether the file changed at all, which costs next to nothing, then which entries did.
 */
export class SqliteWatch {
  readonly #watchers = new Watchers()
  #poll: NodeJS.Timeout | undefined
  #seenVersion: unknown
  #cursor: string | undefined
  #closed = false

  constructor(
    private readonly connection: SqliteConnection,
    private readonly pollIntervalMs: number,
  ) {}

  watch(refId: RefId, onChange: OnChange): () => void {
    if (this.#closed) return () => {}
    const end = this.#watchers.add(refId, onChange)
    // The timer does not keep the process alive: whoever waits for a change has a timer of its own.
    this.#poll ??= setInterval(() => this.#lookForChanges(), this.pollIntervalMs).unref()
    return () => {
      end()
      if (this.#watchers.size === 0) this.#stopPolling()
    }
  }

  /** @param version the entry's, now; without it, listeners cannot know what changed */
  notify(refId: RefId, version?: number): void {
    this.#watchers.notify(refId, version)
  }

  notifyAll(): void {
    this.#watchers.notifyAll()
  }

  close(): void {
    this.#closed = true
    this.#stopPolling()
    this.#watchers.notifyAll()
  }

  /** A failure is told, too: who reads then learns why. */
  #lookForChanges(): void {
    const { records } = this.connection
    if (!records) {
      this.connection.open().catch(() => this.notifyAll())
      return
    }
    try {
      const version = records.dataVersion()
      if (version !== this.#seenVersion) this.#tellChanges(records)
      this.#seenVersion = version
    } catch {
      this.notifyAll()
    }
  }

  /** The first time, all are told: somebody may have read an entry before anybody listened here. */
  #tellChanges(records: SqliteRecords): void {
    const isFirst = this.#cursor === undefined
    const { versions, cursor } = records.changes.entriesSince(this.#cursor)
    this.#cursor = cursor
    if (isFirst || !versions) this.notifyAll()
    else for (const [refId, version] of versions) this.notify(refId, version)
  }

  #stopPolling(): void {
    clearInterval(this.#poll)
    this.#poll = undefined
  }
}
