import { type Clock, systemClock } from '../../core/clock.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Log } from '../log.ts'
import {
  failure,
  isStateless,
  type RpcError,
  RpcErrorCode,
  type RpcRequest,
  type RpcResponse,
  result,
} from '../rpc.ts'
import type { Answers } from './answers.ts'
import type { Catalog } from './catalog.ts'
import { type Introduced, toDiscoverResult, toInitializeResult } from './introduction.ts'
import type { Kind } from './known-servers.ts'
import type { Member } from './member.ts'
import { listTasks } from './task-lists.ts'

/** How long a client that asks who there is, or what there is, waits for servers that start, in all. */
const START_MS = 10_000
/** And how long for a list. */
const LIST_MS = 10_000

/** How a list is asked for, and where it stands in the answer. */
const LISTS: Readonly<Record<string, { readonly kind: Kind; readonly member: string }>> = {
  'tools/list': { kind: 'tools', member: 'tools' },
  'prompts/list': { kind: 'prompts', member: 'prompts' },
  'resources/list': { kind: 'resources', member: 'resources' },
  'resources/templates/list': { kind: 'templates', member: 'resourceTemplates' },
}

/** The requests of a client that all servers answer together. */
export class SharedAnswers {
  /** The lists that the client has been given. */
  readonly #given = new Set<Kind>()
  #startsUntil: number | undefined

  constructor(
    private readonly members: readonly Member[],
    private readonly catalog: Catalog,
    private readonly answers: ReadonlyMap<Member, Answers>,
    private readonly log: Log,
    private readonly clock: Clock = systemClock,
  ) {}

  hasListed(kind: Kind): boolean {
    return this.#given.has(kind)
  }

  /** Never rejects. */
  async answer(request: RpcRequest): Promise<RpcResponse> {
    try {
      const answer = await this.#answer(request)
      return answer ? result(request.id, answer) : failure(request.id, isForNone(request))
    } catch (error) {
      const { message } = error as Error
      this.log.error('servers_failed', `A request to several servers failed: ${message}`)
      return failure(request.id, {
        code: RpcErrorCode.internal,
        message: 'The wrapper could not answer this.',
      })
    }
  }

  async #answer(request: RpcRequest): Promise<JsonObject | undefined> {
    const { method, params = {} } = request
    if (isStateless(params) && isRemoved(method)) return undefined
    switch (method) {
      case 'initialize':
        await this.#introduced()
        return toInitializeResult(params, this.#introductions)
      case 'server/discover':
        await this.#introduced()
        return toDiscoverResult(this.#introductions)
      case 'tasks/list':
        return listTasks(this.members, params, this.answers, this.clock)
      case 'logging/setLevel':
        for (const member of this.members) member.setLogLevel(request)
        return {}
      case 'ping':
        return {}
    }
    const list = LISTS[method]
    return list && this.#list(list, params)
  }

  /** All of them on one page, those of servers that are away as they were last known. */
  async #list({ kind, member }: { kind: Kind; member: string }, params: JsonObject): Promise<JsonObject> {
    await this.#started(this.members.filter(({ lists }) => lists.of(kind) === undefined))
    await this.#within(LIST_MS, Promise.all(this.members.map(one => one.refresh(kind))))
    this.#given.add(kind)
    const hints = isStateless(params) ? { resultType: 'complete', ttlMs: 0, cacheScope: 'private' } : {}
    return { ...hints, [member]: this.catalog.list(kind) }
  }

  /** Resolves when each server has said who it is, now or before, or takes too long. */
  async #introduced(): Promise<void> {
    await this.#started(this.members.filter(({ introduction }) => introduction === undefined))
  }

  async #started(members: readonly Member[]): Promise<void> {
    for (const member of members) member.start()
    this.#startsUntil ??= this.clock.monotonic() + START_MS
    const left = Math.max(0, this.#startsUntil - this.clock.monotonic())
    await this.#within(left, Promise.all(members.map(member => member.settled())))
  }

  async #within(ms: number, work: Promise<unknown>): Promise<void> {
    let cancel = () => {}
    const late = new Promise<void>(resolve => {
      cancel = this.clock.schedule(ms, resolve, 'background')
    })
    await Promise.race([work, late])
    cancel()
  }

  get #introductions(): Introduced[] {
    return this.members.map(member => ({
      name: member.server.name,
      begin: this.catalog.beginOf(member),
      introduction: member.introduction,
      away: member.away,
    }))
  }
}

/** Of 2025, and no more there at 2026-07-28. */
function isRemoved(method: string): boolean {
  return /^(?:initialize|ping|logging\/setLevel|tasks\/list)$/.test(method)
}

function isForNone({ method, params }: RpcRequest): RpcError {
  if (isStateless(params) && isRemoved(method))
    return { code: RpcErrorCode.methodNotFound, message: 'Method not found' }
  const message = `Several servers are wrapped, and '${method.slice(0, 100)}' does not say which one it is for.`
  return { code: RpcErrorCode.methodNotFound, message }
}
