import type { Changes, Overview, Row } from '../../api.ts'
import { serverNow, setServerTime } from '../clock.ts'
import { EVENTS, problemText, type Server, ServerProblem } from '../server.ts'
import type { Filter } from './list.ts'
import { EMPTY_MODEL, type Model, type ModelEvent, reduce } from './model.ts'

/** What runs stands above the list. */
const ENDED = ['complete', 'failed', 'cancelled'] as const satisfies ReadonlyArray<Row['status']>
const PAGE_ROWS = 200
const SIZES_AT_ONCE = 100
/** Rows that only fly by are not asked for. */
const SIZES_DELAY_MS = 80
const TICK_MS = 500
/** A pointer that rests for longer looks at something else. */
const HELD_MS = 10_000
const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 5_000

/** Keeps the model like the server: loads it, follows its events, and comes back when the server does. */
export class Session {
  model: Model = EMPTY_MODEL
  readonly #server: Server
  readonly #listeners = new Set<() => void>()
  #events: EventSource | undefined
  #retryMs = FIRST_RETRY_MS
  #isLoadingPage = false
  #heldUntil = 0
  readonly #wanted = new Set<string>()
  readonly #asked = new Set<string>()
  #sizesTimer: ReturnType<typeof setTimeout> | undefined

  constructor(server: Server) {
    this.#server = server
  }

  /** @returns what ends it */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  start(): void {
    void this.#load()
    this.#follow()
    setInterval(() => this.#tick(serverNow()), TICK_MS)
  }

  setFilter(filter: Filter): void {
    this.#dispatch({ type: 'filter', filter })
    void this.#loadPage(true)
  }

  /** The list is looked at up to its end. */
  loadMore(): void {
    if (this.model.list.nextCursor !== undefined && !this.#isLoadingPage) void this.#loadPage(false)
  }

  /** Loads the first page again, after it failed. */
  reload(): void {
    void this.#load()
  }

  /** Rows in view, of which the list shows what their values are. */
  wantSizes(refs: readonly string[]): void {
    this.#wanted.clear()
    for (const ref of refs) if (!this.model.sizes.has(ref) && !this.#asked.has(ref)) this.#wanted.add(ref)
    clearTimeout(this.#sizesTimer)
    if (this.#wanted.size > 0) this.#sizesTimer = setTimeout(() => void this.#loadSizes(), SIZES_DELAY_MS)
  }

  /** Tasks that have ended stay, as long as somebody has them under the pointer. */
  holdTasks(): void {
    this.#heldUntil = serverNow() + HELD_MS
  }

  releaseTasks(): void {
    this.#heldUntil = 0
  }

  /** What an action changed is shown before the server's event says it. */
  apply(changes: Pick<Changes, 'changed' | 'deleted'>): void {
    this.#dispatch({ type: 'changes', changes, now: serverNow() })
  }

  #tick(now: number): void {
    if (now > this.#heldUntil) this.#dispatch({ type: 'tick', now })
  }

  #dispatch(event: ModelEvent): void {
    const model = reduce(this.model, event)
    if (model === this.model) return
    this.model = model
    for (const listener of this.#listeners) listener()
  }

  async #load(): Promise<void> {
    try {
      const [overview, tasks] = await Promise.all([
        this.#server.overview(),
        this.#server.tasks(),
        this.#loadPage(true),
      ])
      this.#setOverview(overview)
      this.#asked.clear()
      this.#dispatch({ type: 'tasks', tasks, now: serverNow() })
    } catch (error) {
      this.#lost(error)
    }
  }

  #setOverview(overview: Overview): void {
    setServerTime(overview.now)
    this.#dispatch({ type: 'overview', overview })
  }

  async #loadPage(isFirst: boolean): Promise<void> {
    const { filter, nextCursor, generation } = this.model.list
    this.#isLoadingPage = true
    try {
      const cursor = isFirst ? undefined : nextCursor
      const status = filter.status ?? ENDED
      const page = await this.#server.entries({ ...filter, status, cursor, limit: PAGE_ROWS })
      this.#dispatch({ type: 'page', page, isFirst, generation })
    } catch (error) {
      this.#dispatch({ type: 'page failed', problem: problemText(error), generation })
    } finally {
      this.#isLoadingPage = false
    }
  }

  async #loadSizes(): Promise<void> {
    const refs = [...this.#wanted].slice(0, SIZES_AT_ONCE)
    for (const ref of refs) this.#asked.add(ref)
    try {
      this.#dispatch({ type: 'sizes', sizes: await this.#server.sizes(refs) })
    } catch {
      // The rows show what they have; they are asked for again when they come into view again.
      for (const ref of refs) this.#asked.delete(ref)
    }
  }

  #follow(): void {
    const events = new EventSource(EVENTS)
    this.#events = events
    events.addEventListener('open', () => {
      this.#retryMs = FIRST_RETRY_MS
      this.#dispatch({ type: 'connection', connection: { state: 'live' } })
    })
    events.addEventListener('changes', event => this.#changed(JSON.parse(event.data) as Changes))
    events.addEventListener('reset', event => {
      this.#setOverview(JSON.parse(event.data) as Overview)
      void this.#load()
    })
    events.addEventListener('error', () => this.#interrupted(events))
  }

  #changed({ changed, deleted, overview }: Changes): void {
    this.#setOverview(overview)
    for (const { ref } of changed) this.#asked.delete(ref)
    this.#dispatch({ type: 'changes', changes: { changed, deleted }, now: serverNow() })
  }

  /** Browsers wait for seconds before they try again, and give up where the server answers with an error: the page tries by itself. */
  #interrupted(events: EventSource): void {
    if (events !== this.#events) return
    events.close()
    this.#events = undefined
    void this.#server.overview().then(
      () => this.#away('The connection to the server was interrupted.'),
      error => this.#lost(error),
    )
    setTimeout(() => this.#follow(), this.#retryMs)
    this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2)
  }

  #lost(error: unknown): void {
    const isRefused = error instanceof ServerProblem && error.code !== 'away'
    if (isRefused)
      this.#dispatch({ type: 'connection', connection: { state: 'refused', why: error.message } })
    else this.#away('The server is away.')
  }

  #away(why: string): void {
    if (this.model.connection.state === 'live' && this.#events !== undefined) return
    this.#dispatch({ type: 'connection', connection: { state: 'away', why } })
  }
}
