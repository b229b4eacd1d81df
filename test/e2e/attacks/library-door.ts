import { inspect } from 'node:util'
import { type Actor, actor } from '../../../src/access/actor.ts'
import { toNamespaceId } from '../../../src/agent/identity.ts'
import { toEditResult, toWire, toWireError } from '../../../src/agent/wire.ts'
import type { JsonObject, JsonValue } from '../../../src/core/json.ts'
import type { CallResponse } from '../../../src/core/response.ts'
import type { CachedTool } from '../../../src/flow/call/options.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { uiHandler } from '../../../src/ui/index.ts'
import type { Edit } from '../../../src/values/edit/edits.ts'
import {
  type Act,
  type Answer,
  type Asking,
  type Door,
  type DoorKind,
  EDITS,
  type Identity,
  type Person,
  QUESTION,
  type Site,
} from './door.ts'
import { type Target, targets } from './tools.ts'

/** The library itself, used by a host program that says truthfully who asks. */
export const libraryDoor: DoorKind = {
  name: 'the library',
  abilities: ['sessions', 'namespaces', 'actors', 'questions', 'lists', 'page'],
  open: site => openLibrary(site, actorOf),
}

/** The same program with its checks broken: it takes everybody for itself. Rows that stand here prove nothing. */
export const trustingDoor: DoorKind = {
  ...libraryDoor,
  name: 'a library that trusts everybody',
  open: site => openLibrary(site, () => actor.system()),
}

function actorOf({ kind = 'agent', id, session, org }: Identity): Actor {
  return actor[kind]({
    ...(id === undefined ? {} : { id }),
    ...(session === undefined ? {} : { sessionId: session }),
    ...(org === undefined ? {} : { orgs: [org] }),
  })
}

interface Counter {
  readonly target: Target
  readonly call: CachedTool<Record<string, unknown>>
}

async function openLibrary(site: Site, toActor: (identity: Identity) => Actor): Promise<Door> {
  const cache = new RefCache(site.options)
  const counters = new Map<string, Counter>()
  for (const target of targets(site.secret, site.gates)) {
    const { schema, handler, ...options } = target
    const call = cache.cached({ ...options, input: schema }, handler) as CachedTool<Record<string, unknown>>
    counters.set(target.name, { target, call })
  }
  // At the page nobody is the program: who trusts everybody takes them for Alice.
  const lookers = new Map<string, Actor>()
  const page = uiHandler(cache, { actor: ({ headers }) => lookers.get(`${headers.get('cookie')}`) })
  const look = (identity: Identity, path: string, init: RequestInit = {}) => {
    const who = toActor(identity)
    const cookie = `session=${JSON.stringify(identity)}`
    lookers.set(cookie, who.type === 'system' ? actor.agent({ id: 'alice' }) : who)
    const headers = { ...init.headers, cookie }
    return page(new Request(`http://app.example/page/${path}`, { ...init, headers }))
  }
  const enter = (identity: Identity) => new Caller(cache, counters, toActor(identity), identity.id)
  return {
    acts: [
      'get',
      'query',
      'edit',
      'status',
      'resolve',
      'exists',
      'cancel',
      'retry',
      'delete',
      'answer',
      'list',
    ],
    cache,
    enter: async identity => enter(identity),
    callIn: (identity, namespace, tool, input) => enter(identity).callIn(namespace, tool, input),
    look,
    async close() {
      page.close()
      await cache.close()
    },
  }
}

class Caller implements Person {
  readonly heard: string[] = []

  constructor(
    private readonly cache: RefCache,
    private readonly counters: ReadonlyMap<string, Counter>,
    private readonly actor: Actor,
    private readonly id: string | undefined,
  ) {}

  /** As a careful host does it: results belong to the caller unless the tool says otherwise. */
  call(tool: string, input: unknown = {}): Promise<Answer> {
    const named = this.counters.get(tool)?.target.namespace
    return this.callIn(
      named ?? (this.id === undefined ? 'public' : `user:${toNamespaceId(this.id)}`),
      tool,
      input,
    )
  }

  callWith(tool: string, json: string): Promise<Answer> {
    return this.call(tool, JSON.parse(json))
  }

  callIn(namespace: string, tool: string, input: unknown): Promise<Answer> {
    return this.#answer(async () => {
      const counter = this.counters.get(tool)
      if (!counter) throw new Error(`There is no tool '${tool}'.`)
      return counter.call(input as Record<string, unknown>, {
        actor: this.actor,
        namespace,
        interactive: true,
        onProgress: told => this.#hear(told),
      })
    })
  }

  act(act: Act, refId: unknown, { format, wait: waits = false, ...asking }: Asking = {}): Promise<Answer> {
    const { cache, actor } = this
    // What an attacker names need not be a text.
    const ref = refId as string
    const wait = waits ? '1h' : 0
    switch (act) {
      case 'get':
        return this.#answer(() =>
          cache.get(ref, {
            ...{ actor, wait, ...asking, responseFormat: format },
            onProgress: told => this.#hear(told),
          }),
        )
      case 'query':
        return this.#answer(() => cache.query(ref, { sql: QUESTION, actor, wait }))
      case 'edit':
        return this.edit(ref, EDITS)
      case 'status':
        return this.#answer(() => cache.taskStatus(ref, { actor }))
      case 'resolve':
        return this.#answer(async () => ({ value: await cache.resolve(ref, { actor, wait }) }))
      case 'exists':
        return this.#answer(async () => ({ value: await cache.exists(ref, { actor }) }))
      case 'cancel':
        return this.#answer(() => cache.cancelTask(ref, { actor }))
      case 'retry':
        return this.#answer(() => cache.retryTask(ref, { actor }))
      case 'delete':
        return this.#answer(async () => ({ value: await cache.delete(ref, { actor }) }))
      case 'answer':
        return this.#answer(() => cache.answerTask(ref, { 'elicit-1': { action: 'decline' } }, { actor }))
      case 'list':
        return this.#answer(async () => ({
          value: JSON.parse(JSON.stringify(await cache.listTasks({ actor }))) as JsonValue,
        }))
      case 'result':
      case 'export':
      case 'read':
        throw new Error('That is a word of MCP.')
    }
  }

  edit(refId: unknown, edits: unknown): Promise<Answer> {
    return this.#answer(async () => {
      const edited = await this.cache.edit(refId as string, edits as Edit[], { actor: this.actor })
      return toEditResult(edited).structuredContent as JsonObject
    })
  }

  async #answer(ask: () => Promise<CallResponse | JsonObject>): Promise<Answer> {
    try {
      const given = await ask()
      this.#hear(given)
      const body = 'isAsync' in given ? toWire(given as CallResponse) : (given as JsonObject)
      return { said: JSON.stringify(given), body, code: undefined }
    } catch (error) {
      this.#hear(error)
      const { code } = error as { code?: unknown }
      const said = error instanceof Error ? `${error.name} ${String(code)}: ${error.message}` : inspect(error)
      const body = { error: toWireError(error) } as unknown as JsonObject
      return { said, body, code: typeof code === 'string' ? code : 'task_failed' }
    }
  }

  /** With stacks, causes and members that are not shown to all. */
  #hear(something: unknown): void {
    this.heard.push(
      inspect(something, { depth: 20, showHidden: true, maxArrayLength: null, maxStringLength: null }),
    )
  }
}
