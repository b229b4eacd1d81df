import { setTimeout as sleep } from 'node:timers/promises'
import type { Act, Answer, Asking, DoorKind, Listening } from './door.ts'
import { HttpClient, openHttp, type Revision } from './http-door.ts'

/** MCP over HTTP, where calls become tasks of MCP and are followed by its own methods. */
export function nativeDoor(revision: Revision): DoorKind {
  const current = revision === '2026-07-28'
  const own: Act[] = current ? ['status', 'answer'] : ['status', 'result', 'list']
  return {
    name: `native tasks, ${revision}`,
    abilities: [
      'sessions',
      'templates',
      'raw',
      'resources',
      ...(current ? (['questions', 'listening'] as const) : (['lists'] as const)),
    ],
    open: site => {
      const immediate = { ...site, attach: { taskGrace: 0, ...site.attach } }
      return openHttp(
        immediate,
        ['get', 'query', 'edit', 'export', 'read', 'cancel', 'retry', ...own],
        (server, identity) => new TaskClient(server, revision, identity),
      )
    },
  }
}

const METHODS: Partial<Record<Act, string>> = {
  status: 'tasks/get',
  cancel: 'tasks/cancel',
  answer: 'tasks/update',
  result: 'tasks/result',
  list: 'tasks/list',
}

const CAPABILITIES = { extensions: { 'io.modelcontextprotocol/tasks': {} }, elicitation: { form: {} } }

/** They become no tasks. */
const OWN_TOOLS =
  /^(get_cached_result|cancel_task|retry_task|query_cached_result|edit_cached_result|export_cached_result|admin_.*)$/

/** Tools whose callers want a handle, not the result. */
const HANDLES = /_handle$|^(hold|flaky|wait|wait_public|hold_public)$/

class TaskClient extends HttpClient {
  override async callWith(tool: string, json: string): Promise<Answer> {
    const task = this.revision === '2025-11-25' && !OWN_TOOLS.test(tool) ? ',"task":{}' : ''
    const members = `"name":${JSON.stringify(tool)},"arguments":${json}${task}`
    const answer = await this.request('tools/call', tool, members, CAPABILITIES)
    return HANDLES.test(tool) || !('taskId' in answer.body) ? answer : this.#followed(answer)
  }

  override act(act: Act, refId: unknown, asking: Asking = {}): Promise<Answer> {
    const method = METHODS[act]
    if (method === undefined) return super.act(act, refId, asking)
    const answers = act === 'answer' ? ',"inputResponses":{"elicit-1":{"action":"decline"}}' : ''
    const members = act === 'list' ? '"limit":100' : `"taskId":${JSON.stringify(refId)}${answers}`
    return this.request(method, String(refId), members, CAPABILITIES)
  }

  override async listen(taskIds: readonly string[]): Promise<Listening> {
    const members = `"notifications":${JSON.stringify({ taskIds })}`
    const { body, headers } = this.written('subscriptions/listen', '', members, CAPABILITIES)
    const ending = new AbortController()
    const response = await this.send(body, headers, ending.signal)
    let heard = ''
    const reader = response.body?.getReader()
    const over = (async () => {
      for (let read = await reader?.read(); read && !read.done; read = await reader?.read())
        heard += Buffer.from(read.value).toString()
    })().catch(() => {})
    while (!heard.includes('acknowledged') && response.ok) await sleep(5)
    return {
      heard: () => heard,
      async end() {
        ending.abort()
        await reader?.cancel().catch(() => {})
        await over
        return heard
      },
    }
  }

  async #followed({ body }: Answer): Promise<Answer> {
    for (;;) {
      const answer = await this.act('status', body.ref_id)
      const { status } = answer.body
      if (status !== 'working' && status !== 'input_required') {
        return this.revision === '2025-11-25' ? this.act('result', body.ref_id) : answer
      }
      await sleep(5)
    }
  }
}
