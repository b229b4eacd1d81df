import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { stringifyJson } from '../../core/json-text.ts'
import { RpcErrorCode } from '../rpc.ts'
import type { Upstream } from '../upstream.ts'
import { KINDS, type Kind, type KnownServer } from './known-servers.ts'

/** How a server is asked for a list, and where that stands in its answer. */
const LISTS: Readonly<Record<Kind, { method: string; member: string; ability: string }>> = {
  tools: { method: 'tools/list', member: 'tools', ability: 'tools' },
  prompts: { method: 'prompts/list', member: 'prompts', ability: 'prompts' },
  resources: { method: 'resources/list', member: 'resources', ability: 'resources' },
  templates: { method: 'resources/templates/list', member: 'resourceTemplates', ability: 'resources' },
}

/** A page that does not come within this is not waited for: the list from before is the last one known. */
const PAGE_MS = 10_000
const MAX_PAGES = 100

/** The lists of one server, as it last gave them. */
export class ServerLists {
  /** Which of them the server that runs now has given. */
  readonly #fresh = new Set<Kind>()
  readonly #fetching = new Map<Kind, Promise<void>>()
  #lists: KnownServer['lists']

  /**
   * @param known from before
   * @param onChanged hears of a list that is not what it was
   */
  constructor(
    private readonly upstream: Upstream,
    known: KnownServer['lists'],
    private readonly onChanged: (kind: Kind) => void,
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

  /** The server says that it has changed, or is another one now. */
  outdate(kinds: readonly Kind[] = KINDS): void {
    for (const kind of kinds) this.#fresh.delete(kind)
  }

  /** Asks the server where that is needed. Never rejects: where it does not answer, the list stays what it was. */
  refresh(kind: Kind, introduction: JsonObject, meta: JsonObject | undefined): Promise<void> {
    const running = this.#fetching.get(kind)
    const isFresh = this.#fresh.has(kind)
    // What was asked before the server said that it has changed may be the list from before.
    if (running) return isFresh ? running : running.then(() => this.refresh(kind, introduction, meta))
    if (isFresh) return Promise.resolve()
    this.#fresh.add(kind)
    const { capabilities } = introduction
    const has = isJsonObject(capabilities) && capabilities[LISTS[kind].ability] !== undefined
    const fetching = (has ? this.#fetch(kind, meta) : Promise.resolve([]))
      .then(list => this.#learn(kind, list))
      .catch(() => void this.#fresh.delete(kind))
      .finally(() => this.#fetching.delete(kind))
    this.#fetching.set(kind, fetching)
    return fetching
  }

  #learn(kind: Kind, list: readonly JsonValue[]): void {
    const before = this.#lists[kind]
    this.#lists = { ...this.#lists, [kind]: list }
    if (before === undefined || stringifyJson(before) !== stringifyJson(list)) this.onChanged(kind)
  }

  async #fetch(kind: Kind, meta: JsonObject | undefined): Promise<readonly JsonValue[]> {
    const { method, member } = LISTS[kind]
    const base = meta ? { _meta: meta } : {}
    const all: JsonValue[] = []
    let cursor: JsonObject = {}
    for (let page = 0; page < MAX_PAGES; page++) {
      const signal = AbortSignal.timeout(PAGE_MS)
      const response = await this.upstream.request(method, { ...base, ...cursor }, { signal })
      if ('error' in response) {
        if (Number(response.error.code) === RpcErrorCode.methodNotFound) return all
        throw new Error(response.error.message)
      }
      const { result } = response
      if (Array.isArray(result[member])) for (const one of result[member]) all.push(one)
      if (result.nextCursor === undefined) return all
      cursor = { cursor: result.nextCursor }
    }
    return all
  }
}
