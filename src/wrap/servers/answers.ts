import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { metaOf, RELATED_TASK } from '../rpc.ts'
import type { UriRoutes } from './uris.ts'

/** Where a question says which server asks. */
const SERVER_META = 'mcp-refcache/server'

/**
 * What one server says, as the client of several is told it: ids of tasks with the server's key in front, and URIs that lead back to
 * it. What needs no change is the same object.
 */
export class Answers {
  constructor(
    private readonly server: { readonly key: string; readonly name: string },
    private readonly uris: UriRoutes,
  ) {}

  /** @param asked the URI that the client asked for, and the server's own for it */
  result(value: JsonObject, asked?: { readonly outer: string; readonly inner: string }): JsonObject {
    const { task, tasks, taskId, content, messages, contents, inputRequests, result } = value
    const uriOf = (uri: string) => (uri === asked?.inner ? asked.outer : this.#uri(uri))
    return changed(this.#related(value), {
      ...(isJsonObject(task) ? { task: this.#task(task) } : {}),
      ...(Array.isArray(tasks) ? { tasks: each(tasks, one => this.#task(one)) } : {}),
      ...(typeof taskId === 'string' ? { taskId: this.taskId(taskId) } : {}),
      ...(Array.isArray(content) ? { content: each(content, one => this.#block(one)) } : {}),
      ...(Array.isArray(messages) ? { messages: each(messages, one => this.#message(one)) } : {}),
      ...(Array.isArray(contents) ? { contents: each(contents, one => withUri(one, uriOf)) } : {}),
      ...(isJsonObject(inputRequests) ? { inputRequests: this.#questions(inputRequests) } : {}),
      ...(isJsonObject(result) ? { result: this.result(result) } : {}),
    })
  }

  notified(params: JsonObject): JsonObject {
    const { uri } = params
    return changed(this.result(params), typeof uri === 'string' ? { uri: this.#uri(uri) } : {})
  }

  /** What it asks the client: ids of tasks of the client's own are the client's. */
  asked(method: string, params: JsonObject): JsonObject {
    const related = this.#related(params)
    return {
      ...this.#signed(method, related),
      _meta: { ...metaOf(related), [SERVER_META]: this.server.name },
    }
  }

  taskId(own: string): string {
    return `${this.server.key}/${own}`
  }

  /** 2026-07-28: what it asks before it goes on. */
  #questions(questions: JsonObject): JsonObject {
    return Object.fromEntries(
      Object.entries(questions).map(([id, question]) => {
        if (!isJsonObject(question) || !isJsonObject(question.params)) return [id, question]
        return [id, { ...question, params: this.#signed(String(question.method), question.params) }]
      }),
    )
  }

  /** Users are shown the message alone: it says who asks. */
  #signed(method: string, params: JsonObject): JsonObject {
    const { message } = params
    if (method !== 'elicitation/create' || typeof message !== 'string') return params
    return { ...params, message: `${this.server.name}: ${message}` }
  }

  #task(task: JsonObject): JsonObject {
    return typeof task.taskId === 'string' ? { ...task, taskId: this.taskId(task.taskId) } : task
  }

  #related<Value extends JsonObject>(value: Value): Value {
    const meta = isJsonObject(value._meta) ? metaOf(value) : {}
    const related = meta[RELATED_TASK]
    if (!isJsonObject(related)) return value
    return { ...value, _meta: { ...meta, [RELATED_TASK]: this.#task(related) } }
  }

  #message(message: JsonObject): JsonObject {
    const { content } = message
    return isJsonObject(content) ? changed(message, { content: this.#block(content) }) : message
  }

  #block(block: JsonObject): JsonObject {
    if (block.type === 'resource_link') return withUri(block, uri => this.#uri(uri))
    if (block.type !== 'resource' || !isJsonObject(block.resource)) return block
    return changed(block, { resource: withUri(block.resource, uri => this.#uri(uri)) })
  }

  #uri(uri: string): string {
    this.uris.linked(this.server.key, uri)
    return this.uris.outward(this.server.key, uri)
  }
}

/** The key and the server's own id in the id of a task. */
export function taskIdIn(id: JsonValue | undefined): { key: string; taskId: string } | undefined {
  const [, key, taskId] = typeof id === 'string' ? (/^([^/]*)\/(.*)$/s.exec(id) ?? []) : []
  return key === undefined || taskId === undefined ? undefined : { key, taskId }
}

function withUri(object: JsonObject, change: (uri: string) => string): JsonObject {
  return typeof object.uri === 'string' ? changed(object, { uri: change(object.uri) }) : object
}

/** The list with its objects changed; the same list where none is. */
function each(list: JsonValue[], change: (one: JsonObject) => JsonObject): JsonValue[] {
  const now = list.map(one => (isJsonObject(one) ? change(one) : one))
  return now.every((one, at) => one === list[at]) ? list : now
}

/** The object with these members; the same object where they are its own already. */
function changed<Value extends JsonObject>(value: Value, members: JsonObject): Value {
  return Object.entries(members).every(([name, member]) => value[name] === member)
    ? value
    : { ...value, ...members }
}
