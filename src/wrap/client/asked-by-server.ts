import { notification, type RpcId, type RpcNotification, type RpcRequest, type RpcResponse } from '../rpc.ts'
import { type Asker, isQuestion } from '../upstream/input.ts'
import { ServerQuestions } from '../upstream/questions.ts'
import type { UpstreamTasks } from '../upstream/tasks.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { ClientMessages } from './messages.ts'
import { ServerRequests } from './server-requests.ts'

export interface AskedByServerOptions {
  readonly client: ClientMessages
  readonly upstream: Upstream
  readonly tasks: UpstreamTasks
  /** Whether the server does nothing for the client beside calls, so that what it asks is about one of those. */
  onlyCalls(): boolean
}

/** What the server asks of the client: questions of a call are for its task to put, where it can; all else goes on to the client. */
export class AskedByServer {
  readonly #requests = new ServerRequests()
  readonly #questions = new ServerQuestions()
  /** Which server asks: each that is started counts its ids from the beginning. */
  #server = 0

  constructor(private readonly options: AskedByServerOptions) {}

  asked(request: RpcRequest): void {
    const { tasks, onlyCalls } = this.options
    const task = isQuestion(request) && onlyCalls() ? tasks.askingTask(request) : undefined
    if (task) void this.#ask(request, task)
    else this.#pass(request)
  }

  async #ask(request: RpcRequest, task: Asker): Promise<void> {
    const server = this.#server
    const isThere = () => server === this.#server
    const answer = await this.#questions.put(request, task)
    if (answer === 'withdrawn' || !isThere()) return
    if (answer === 'not_asked') this.#pass(request)
    else await this.options.upstream.forward(answer, isThere).catch(() => {})
  }

  #pass(request: RpcRequest): void {
    const { client, tasks } = this.options
    void client.send(this.#requests.opened(tasks.related(request)))
  }

  /** The client's answer, for the server that asked. One that nobody waits for any more goes nowhere. */
  answered(response: RpcResponse): void {
    const forServer = this.#requests.answered(response)
    if (forServer) this.options.upstream.forward(forServer).catch(() => {})
  }

  /** Whether the notification takes back a question of a task. */
  withdraws({ method, params }: RpcNotification): boolean {
    return method === 'notifications/cancelled' && this.#questions.withdraw(params?.requestId as RpcId)
  }

  /** A notification by the server, with the ids that the client knows. */
  translated(message: RpcNotification): RpcNotification {
    return this.#requests.translated(message)
  }

  /** The server is gone, and waits for no answer. */
  lost(reason: string): void {
    this.#server++
    this.#questions.withdrawAll()
    for (const requestId of this.#requests.lost())
      this.options.client.send(notification('notifications/cancelled', { requestId, reason }))
  }
}
