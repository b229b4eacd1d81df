import type { Clock } from '../../core/clock.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { stringifyJson } from '../../core/json-text.ts'
import type { Log } from '../log.ts'
import { RpcErrorCode } from '../rpc.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { within } from './deadline.ts'
import { KINDS, type Kind, type KnownServer } from './known-servers.ts'
import { isUsable } from './usable-items.ts'

/** How a server is asked for a list, and where that stands in its answer. */
const LISTS: Readonly<Record<Kind, { method: string; member: string; ability: string }>> = {
  tools: { method: 'tools/list', member: 'tools', ability: 'tools' },
  prompts: { method: 'prompts/list', member: 'prompts', ability: 'prompts' },
  resources: { method: 'resources/list', member: 'resources', ability: 'resources' },
  templates: { method: 'resources/templates/list', member: 'resourceTemplates', ability: 'resources' },
}

/** A list that takes longer is waited for once; after that, the list from before does until it comes. */
const LIST_MS = 10_000
/** A page that does not come within this never will. */
const PAGE_MS = 10_000
const MAX_PAGES = 100
const MAX_ITEMS = 10_000

export interface ServerListsOptions {
  /** Of one list, as JSON text. */
  readonly maxBytes: number
  /** Hears of a list that is not what it was. */
  readonly onChanged: (kind: Kind) => void
  readonly log: Log
  readonly clock: Clock
}

/** The lists of one server, as it last gave them. */
export class ServerLists {
  /** Which of them the server that runs now has given. */
  readonly #fresh = new Set<Kind>()
  /** Which of them did not come in time when they were last asked for: nobody waits for them again. */
  readonly #overdue = new Set<Kind>()
  /** Until the list is there, or overdue. */
  readonly #fetching = new Map<Kind, Promise<void>>()
  readonly #cameAt = new Map<Kind, number>()
  readonly #warned = new Set<string>()
  #lists: KnownServer['lists']

  /** @param known from before */
  constructor(
    private readonly upstream: Upstream,
    known: KnownServer['lists'],
    private readonly options: ServerListsOptions,
  ) {
    this.#lists = { ...known }
  }

  get all(): KnownServer['lists'] {
    return this.#lists
  }

  /** Nothing where the server was never asked. */
  of(kind: Kind): readonly JsonValue[] | undefined {
    return this.#lists[kind]
  }

  isOverdue(kind: Kind): boolean {
    return this.#overdue.has(kind)
  }

  /** Whether it is being asked for, or came not longer ago than that. */
  wasAskedWithin(ms: number, kind: Kind): boolean {
    const at = this.#cameAt.get(kind)
    return this.#fetching.has(kind) || (at !== undefined && this.options.clock.monotonic() - at <= ms)
  }

  /** The server says that it has changed, or is another one now. */
  outdate(kinds: readonly Kind[] = KINDS): void {
    for (const kind of kinds) this.#fresh.delete(kind)
  }

  /** Asks the server where that is needed. Never rejects: where it does not answer, the list stays what it was. */
  refresh(kind: Kind, introduction: JsonObject, meta: JsonObject | undefined): Promise<void> {
    const asked = this.#ask(kind, introduction, meta)
    return this.#overdue.has(kind) ? Promise.resolve() : asked
  }

  #ask(kind: Kind, introduction: JsonObject, meta: JsonObject | undefined): Promise<void> {
    const running = this.#fetching.get(kind)
    const isFresh = this.#fresh.has(kind)
    // What was asked before the server said that it has changed may be the list from before.
    if (running) return isFresh ? running : running.then(() => this.refresh(kind, introduction, meta))
    if (isFresh) return Promise.resolve()
    this.#fresh.add(kind)
    const { capabilities } = introduction
    const has = isJsonObject(capabilities) && capabilities[LISTS[kind].ability] !== undefined
    const { overdue, inTime } = this.#deadline(kind)
    const fetched = (has ? this.#fetch(kind, meta) : Promise.resolve([]))
      .then(list => {
        this.#overdue.delete(kind)
        this.#learn(kind, list)
      })
      .catch(() => void this.#fresh.delete(kind))
      .finally(() => {
        inTime()
        this.#cameAt.set(kind, this.options.clock.monotonic())
        this.#fetching.delete(kind)
      })
    const fetching = Promise.race([fetched, overdue])
    this.#fetching.set(kind, fetching)
    return fetching
  }

  #deadline(kind: Kind): { overdue: Promise<void>; inTime: () => void } {
    let inTime = () => {}
    const overdue = new Promise<void>(resolve => {
      const over = () => {
        this.#overdue.add(kind)
        this.#warn('list_overdue', `${LISTS[kind].method} is not answered: the other servers do not wait.`)
        resolve()
      }
      inTime = this.options.clock.schedule(LIST_MS, over, 'background')
    })
    return { overdue, inTime }
  }

  #learn(kind: Kind, list: readonly JsonValue[]): void {
    const before = this.#lists[kind]
    this.#lists = { ...this.#lists, [kind]: list }
    if (before === undefined || stringifyJson(before) !== stringifyJson(list)) this.options.onChanged(kind)
  }

  async #fetch(kind: Kind, meta: JsonObject | undefined): Promise<readonly JsonValue[]> {
    const { method, member } = LISTS[kind]
    const base = meta ? { _meta: meta } : {}
    const list = new BoundedList(this.options.maxBytes)
    let cursor: JsonObject = {}
    for (let page = 0; page < MAX_PAGES && !list.isFull; page++) {
      const params = { ...base, ...cursor }
      const response = await within(this.options.clock, PAGE_MS, signal =>
        this.upstream.request(method, params, { signal }),
      )
      if ('error' in response) {
        if (Number(response.error.code) === RpcErrorCode.methodNotFound) break
        throw new Error(response.error.message)
      }
      const { result } = response
      if (Array.isArray(result[member])) this.#take(kind, result[member], list)
      if (result.nextCursor === undefined) break
      cursor = { cursor: result.nextCursor }
    }
    if (list.isFull)
      this.#warn(
        'list_cut',
        `${method} gives too much for the client (more than ${MAX_ITEMS} items or ${this.options.maxBytes} bytes): what comes last is left out.`,
      )
    return list.items
  }

  #take(kind: Kind, items: readonly JsonValue[], list: BoundedList): void {
    for (const item of items) {
      if (isUsable(kind, item)) list.add(item)
      else
        this.#warn(
          'item_left_out',
          `${LISTS[kind].method} gives what clients refuse: ${called(item)} is left out.`,
        )
    }
  }

  /** Once, however often the list is asked for. */
  #warn(code: string, message: string): void {
    if (this.#warned.has(message) || this.#warned.size >= MAX_WARNINGS) return
    this.#warned.add(message)
    this.options.log.warn(code, message)
  }
}

const MAX_WARNINGS = 100

/** No more of a list than clients can take. */
class BoundedList {
  readonly items: JsonValue[] = []
  #bytes = 0
  isFull = false

  constructor(private readonly maxBytes: number) {}

  add(item: JsonValue): void {
    const bytes = Buffer.byteLength(stringifyJson(item))
    this.isFull ||= this.items.length === MAX_ITEMS || this.#bytes + bytes > this.maxBytes
    if (this.isFull) return
    this.#bytes += bytes
    this.items.push(item)
  }
}

function called(item: JsonValue): string {
  const name = isJsonObject(item) ? (item.name ?? item.uri ?? item.uriTemplate) : undefined
  return typeof name === 'string' ? `'${name.slice(0, 100)}'` : 'something without a name'
}
