import type { Changes, Overview, Problem, Row } from '../../api.ts'
import { serverNow, setServerTime } from '../clock.ts'
import { problemText, type Server, ServerProblem } from '../server.ts'
import type { Filter } from './list.ts'
import { Meanwhile } from './meanwhile.ts'
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
/** The stream says at once that all is to be loaded; where the store is away, the page loads to say why. */
const FIRST_LOAD_MS = 1_000

const INTERRUPTED = 'The connection to the server was interrupted.'
/** It answers, but opens no stream of events. */
const NO_STREAM = 'The server sends no changes. Too many of its pages may be open: close one of them.'
/** `EventSource.OPEN` */
const OPEN = 1

/** Keeps the model like the server: loads it, follows its events, and comes back when the server does. */
export class Session {
  model: Model = EMPTY_MODEL
  readonly #server: Server
  readonly #listeners = new Set<() => void>()
  #events: EventSource | undefined
  #retryMs = FIRST_RETRY_MS
  readonly #meanwhile = new Meanwhile()
  /** The newest of each counts: what an older one brings is out of date. */
  #loads = 0
  #pages = 0
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
    this.#follow()
    setTimeout(() => {
      if (this.#loads === 0) void this.#load()
    }, FIRST_LOAD_MS)
    setInterval(() => this.#tick(serverNow()), TICK_MS)
  }

  setFilter(filter: Filter): void {
    this.#dispatch({ type: 'filter', filter })
    void this.#loadPage(true)
  }

  /** The list is looked at up to its end. */
  loadMore(): void {
    const { nextCursor, problem } = this.model.list
    if (nextCursor !== undefined && problem === undefined && !this.#isLoadingPage) void this.#loadPage(false)
  }

  /** Loads the page again that failed. */
  reload(): void {
    if (this.model.list.nextCursor === undefined) void this.#load()
    else if (!this.#isLoadingPage) void this.#loadPage(false)
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
    this.#meanwhile.add(changes)
    this.#dispatch({ type: 'changes', changes, now: serverNow() })
    this.#lookFurther()
  }

  /** What was heard while something loaded, on top of what came. */
  #applyAgain(heard: Pick<Changes, 'changed' | 'deleted'>): void {
    if (heard.changed.length + heard.deleted.length > 0)
      this.#dispatch({ type: 'changes', changes: heard, now: serverNow() })
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

  /** @param known how all stands, where the server has just said it */
  async #load(known?: Overview): Promise<void> {
    this.#loads += 1
    const mine = this.#loads
    const end = this.#meanwhile.begin()
    const answers = await Promise.all([
      known ?? this.#server.overview(),
      this.#server.tasks(),
      this.#loadPage(true),
    ]).catch(error => {
      if (mine === this.#loads) this.#lost(error)
    })
    const heard = end()
    if (answers === undefined || mine !== this.#loads) return
    const [overview, tasks] = answers
    if (known === undefined) this.#setOverview(overview)
    this.#asked.clear()
    this.#dispatch({ type: 'tasks', tasks, now: serverNow() })
    this.#applyAgain(heard)
    if (this.#events?.readyState === OPEN)
      this.#dispatch({ type: 'connection', connection: { state: 'live' } })
  }

  #setOverview(overview: Overview): void {
    setServerTime(overview.now)
    this.#dispatch({ type: 'overview', overview })
  }

  async #loadPage(isFirst: boolean): Promise<void> {
    const { filter, nextCursor, generation } = this.model.list
    this.#pages += 1
    const mine = this.#pages
    this.#isLoadingPage = true
    const end = this.#meanwhile.begin()
    const cursor = isFirst ? undefined : nextCursor
    const status = filter.status ?? ENDED
    const event = await this.#server.entries({ ...filter, status, cursor, limit: PAGE_ROWS }).then(
      (page): ModelEvent => ({ type: 'page', page, isFirst, generation }),
      (error): ModelEvent => ({ type: 'page failed', problem: problemText(error), generation }),
    )
    const heard = end()
    if (mine !== this.#pages) return
    this.#isLoadingPage = false
    this.#dispatch(event)
    this.#applyAgain(heard)
    this.#lookFurther()
  }

  /** A page may have no rows, and still not be the last. */
  #lookFurther(): void {
    if (this.model.list.rows.length === 0) this.loadMore()
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
    const events = this.#server.events()
    let hasOpened = false
    this.#events = events
    events.addEventListener('open', () => {
      hasOpened = true
      this.#retryMs = FIRST_RETRY_MS
      this.#dispatch({ type: 'connection', connection: { state: 'live' } })
    })
    events.addEventListener('changes', event => this.#changed(JSON.parse(event.data) as Changes))
    events.addEventListener('reset', event => {
      const overview = JSON.parse(event.data) as Overview
      this.#setOverview(overview)
      void this.#load(overview)
    })
    events.addEventListener('problem', event => {
      const { message } = JSON.parse(event.data) as Problem
      this.#dispatch({ type: 'connection', connection: { state: 'stale', why: message } })
    })
    events.addEventListener('error', () => this.#interrupted(events, hasOpened))
  }

  #changed({ changed, deleted, overview }: Changes): void {
    this.#setOverview(overview)
    for (const { ref } of changed) this.#asked.delete(ref)
    this.apply({ changed, deleted })
  }

  /** Browsers wait for seconds before they try again, and give up where the server answers with an error: the page tries by itself. */
  #interrupted(events: EventSource, hadOpened: boolean): void {
    if (events !== this.#events) return
    events.close()
    this.#events = undefined
    if (this.#loads === 0) void this.#load()
    void this.#server.overview().then(
      () => this.#away(hadOpened ? INTERRUPTED : NO_STREAM),
      error => this.#lost(error),
    )
    setTimeout(() => this.#follow(), this.#retryMs)
    this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2)
  }

  #lost(error: unknown): void {
    const code = error instanceof ServerProblem ? error.code : undefined
    if (code === 'unauthorized' || code === 'forbidden')
      this.#dispatch({ type: 'connection', connection: { state: 'refused', why: problemText(error) } })
    else this.#away(code === 'away' ? 'The server is away.' : problemText(error))
  }

  #away(why: string): void {
    if (this.model.connection.state === 'live' && this.#events !== undefined) return
    this.#dispatch({ type: 'connection', connection: { state: 'away', why } })
  }
}
