import { declaresExtension } from '../../agent/tasks/capabilities.ts'
import { tasksNotDeclared, toRpcError } from '../../agent/tasks/errors.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { clientCapabilitiesOf, isStateless, type RpcError, RpcErrorCode, type RpcRequest } from '../rpc.ts'
import { taskIdIn } from './answers.ts'
import type { Catalog, Found } from './catalog.ts'
import type { Member } from './member.ts'

/** Where a request goes. */
export type Routed =
  | {
      readonly member: Member
      readonly request: RpcRequest
      /** The resource that it names, as the client and as the server calls it. */
      readonly asked?: { readonly outer: string; readonly inner: string }
    }
  /** Nobody lists what it asks for: each of them may have it. */
  | { readonly anyOf: readonly Member[] }
  | { readonly error: RpcError }
  /** The server that it is for does not answer. */
  | { readonly away: Error }

/** Which of several servers a request of their client is for. */
export class Routes {
  constructor(
    private readonly members: readonly Member[],
    private readonly catalog: Catalog,
  ) {}

  /** At once where it is known: a cancellation must not overtake its request. Nothing for what is for no single server. */
  of(request: RpcRequest): Routed | Promise<Routed> | undefined {
    const { method, params = {} } = request
    switch (method) {
      case 'tools/call':
        return this.#byName('tools', request, params.name, name => ({ ...params, name }))
      case 'prompts/get':
        return this.#byName('prompts', request, params.name, name => ({ ...params, name }))
      case 'completion/complete':
        return this.#ofCompletion(request, params)
      case 'resources/subscribe':
      case 'resources/unsubscribe':
        return isStateless(params) ? { error: notThere } : this.#byUri(request, params)
      case 'resources/read':
        return this.#byUri(request, params)
      case 'tasks/get':
      case 'tasks/result':
      case 'tasks/cancel':
      case 'tasks/update':
        return this.#byTask(request, params)
      default:
        return undefined
    }
  }

  /** Whether a tool is of that server. */
  isOf(member: Member, tool: unknown): boolean {
    return this.catalog.tool(String(tool))?.member === member
  }

  #byName(
    kind: 'tools' | 'prompts',
    request: RpcRequest,
    name: JsonValue | undefined,
    withName: (own: string) => JsonObject,
  ): Routed | Promise<Routed> {
    const find = (): Found | undefined =>
      kind === 'tools' ? this.catalog.tool(String(name)) : this.catalog.prompt(String(name))
    const routed = ({ member, name: own }: Found): Routed => ({
      member,
      request: { ...request, params: withName(own) },
    })
    const found = find()
    if (found) return routed(found)
    const what = kind === 'tools' ? 'tool' : 'prompt'
    const unknown: Routed = { error: invalid(`There is no ${what} '${String(name).slice(0, 100)}'.`) }
    const unsure = this.catalog.mayHave(kind, String(name))
    if (unsure.length === 0) return unknown
    return listed(unsure, kind).then(() => {
      const now = find()
      if (now) return routed(now)
      // Whoever asks it hears why it does not answer.
      const away = unsure.find(({ isReady }) => !isReady)
      if (away) return { member: away, request }
      const overdue = unsure.find(({ lists }) => lists.isOverdue(kind))
      return overdue ? { away: overdue.awayError() } : unknown
    })
  }

  #ofCompletion(request: RpcRequest, params: JsonObject): Routed | Promise<Routed> {
    const { ref } = params
    if (isJsonObject(ref) && ref.type === 'ref/prompt')
      return this.#byName('prompts', request, ref.name, name => ({ ...params, ref: { ...ref, name } }))
    if (!isJsonObject(ref) || typeof ref.uri !== 'string')
      return { error: invalid('This ref is of no known type.') }
    const { key, uri } = this.catalog.uris.inward(ref.uri)
    const member = this.#withKey(key) ?? this.#withResources[0]
    if (!member) return { error: invalid('There is no such resource template.') }
    return { member, request: { ...request, params: { ...params, ref: { ...ref, uri } } } }
  }

  #byUri(request: RpcRequest, params: JsonObject): Routed | Promise<Routed> {
    const outer = String(params.uri)
    const known = this.#ofResource(request, params, outer)
    if (known) return known
    return listed(this.#withResources, 'resources', 'templates').then(
      () => this.#ofResource(request, params, outer) ?? this.#anyOf(this.#withResources, outer),
    )
  }

  #ofResource(request: RpcRequest, params: JsonObject, outer: string): Routed | undefined {
    const { key, uri } = this.catalog.uris.inward(outer)
    const member = this.#withKey(key)
    if (!member) return undefined
    return { member, request: { ...request, params: { ...params, uri } }, asked: { outer, inner: uri } }
  }

  #anyOf(members: readonly Member[], uri: string): Routed {
    return members.length > 0
      ? { anyOf: members }
      : { error: invalid(`There is no resource ${uri.slice(0, 500)}.`) }
  }

  #byTask(request: RpcRequest, params: JsonObject): Routed {
    if (isStateless(params) && request.method === 'tasks/result') return { error: notThere }
    if (isStateless(params) && !declaresExtension(clientCapabilitiesOf(params)))
      return { error: toRpcError(tasksNotDeclared()) }
    const { key, taskId } = taskIdIn(params.taskId) ?? {}
    const member = this.#withKey(key)
    if (!member || taskId === undefined) return { error: invalid('There is no such task.') }
    return { member, request: { ...request, params: { ...params, taskId } } }
  }

  #withKey(key: string | undefined): Member | undefined {
    return key === undefined ? undefined : this.members.find(({ server }) => server.key === key)
  }

  /** Those that run come first: the others have to be started for it. */
  get #withResources(): Member[] {
    const all = this.members.filter(({ introduction }) => {
      const capabilities = introduction?.capabilities
      return isJsonObject(capabilities) && capabilities.resources !== undefined
    })
    return [...all.filter(({ isReady }) => isReady), ...all.filter(({ isReady }) => !isReady)]
  }
}

/** Has the servers say what they have, as far as they can be reached. */
export async function listed(
  members: readonly Member[],
  ...kinds: readonly ('tools' | 'prompts' | 'resources' | 'templates')[]
): Promise<void> {
  await Promise.all(
    members.map(async member => {
      if (kinds.some(kind => member.lists.of(kind) === undefined)) {
        member.start()
        await member.settled()
      }
      await Promise.all(kinds.map(kind => member.refresh(kind)))
    }),
  )
}

/** What the later revision has no more. */
const notThere: RpcError = { code: RpcErrorCode.methodNotFound, message: 'Method not found' }

function invalid(message: string): RpcError {
  return { code: RpcErrorCode.invalidParams, message }
}
