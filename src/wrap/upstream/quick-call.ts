import { onAbort } from '../../core/abort.ts'
import { InputUnavailable } from '../../core/errors.ts'
import type { ProgressReport, TaskContext } from '../../core/handler.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ElicitParams, ElicitResult } from '../../core/question.ts'
import type { CallResponse } from '../../core/response.ts'
import type { PassingCall } from '../../flow/call/pass.ts'
import { passesAsItCame } from '../call-outcome.ts'
import type { RpcResponse, RpcResult } from '../rpc.ts'
import type { Asker } from './input.ts'
import type { RequestListener } from './open-requests.ts'
import type { Upstream } from './upstream.ts'

export interface QuickCallEvents {
  /** The server's answer may go to the client as it came, but for its id; and the call is over. */
  onAnswer(call: QuickCall, response: RpcResult, text: string): void
  /** Something needs the call's entry: now it has to `enter` the flow. Called once. */
  onNeed(call: QuickCall): void
}

type Outcome = { readonly response: RpcResponse } | { readonly error: Error }

/**
 * A call on its way to the wrapped server that has no task, unless something comes to need one: then it enters the flow, and its task
 * goes on with the work that is under way.
 */
export class QuickCall implements Asker, RequestListener {
  #id = ''
  #isNeeded = false
  #outcome: Outcome | undefined
  #task: TaskContext | undefined
  /** What the server reported before there was a task. */
  readonly #reports: ProgressReport[] = []
  readonly #waiting: Array<{ resolve(task: TaskContext): void; reject(error: Error): void }> = []
  #goOn = () => {}
  /** The server has answered, or will not. */
  onSettled = () => {}

  constructor(
    private readonly upstream: Upstream,
    private readonly passing: PassingCall,
    private readonly events: QuickCallEvents,
  ) {}

  /** Asks the server. False where that cannot be done at once. @param params with a progress token */
  begin(params: (token: string) => JsonObject): boolean {
    const id = this.upstream.begin('tools/call', params, this)
    this.#id = id ?? ''
    return id !== undefined
  }

  /** Of the request at the server. */
  get id(): string {
    return this.#id
  }

  need(): void {
    if (this.#isNeeded) return
    this.#isNeeded = true
    this.events.onNeed(this)
  }

  /** Nobody wants the answer any more. */
  cancel(): void {
    this.#leave()
    this.passing.end('stopped')
  }

  /** Makes it a call like any other. Its handler is given this object and calls `goOn`. */
  async enter(context: Parameters<PassingCall['enter']>[0]): Promise<CallResponse> {
    let work: this | undefined = this
    const local = () => {
      // Another attempt begins anew.
      const first = work
      work = undefined
      return first
    }
    try {
      return await this.passing.enter({ ...context, local })
    } finally {
      // It was over before its handler began.
      if (!this.#task) this.#leave()
      for (const { reject } of this.#waiting.splice(0)) reject(new InputUnavailable('The call is over.'))
    }
  }

  /** The task that the call has become waits for the server's answer. */
  goOn(task: TaskContext): Promise<RpcResponse> {
    this.#task = task
    for (const report of this.#reports.splice(0)) task.progress(report)
    for (const { resolve } of this.#waiting.splice(0)) resolve(task)
    return new Promise((resolve, reject) => {
      const ignore = onAbort(task.signal, () => {
        this.#leave()
        reject(task.signal.reason)
      })
      this.#goOn = () => {
        if (!this.#outcome) return
        ignore()
        if ('error' in this.#outcome) reject(this.#outcome.error)
        else resolve(this.#outcome.response)
      }
      this.#goOn()
    })
  }

  settle(response: RpcResponse, text: string | undefined): void {
    this.#outcome = { response }
    this.onSettled()
    if (!this.#isNeeded && text !== undefined && passesAsItCame(response)) {
      if (this.passing.mayAnswer(Buffer.byteLength(text))) {
        this.passing.end()
        this.events.onAnswer(this, response, text)
        return
      }
    }
    this.need()
    this.#goOn()
  }

  reject(error: Error): void {
    this.#outcome = { error }
    this.onSettled()
    this.need()
    this.#goOn()
  }

  hear(report: ProgressReport): void {
    if (this.#task) this.#task.progress(report)
    else {
      this.#reports.push(report)
      this.need()
    }
  }

  async elicit(params: ElicitParams, options?: { signal?: AbortSignal | undefined }): Promise<ElicitResult> {
    return (await this.#ownTask()).elicit(params, options)
  }

  async sample(params: JsonObject, options?: { signal?: AbortSignal | undefined }): Promise<JsonObject> {
    return (await this.#ownTask()).sample(params, options)
  }

  #leave(): void {
    this.upstream.cancel(this.#id)
    this.onSettled()
  }

  async #ownTask(): Promise<TaskContext> {
    if (this.#task) return this.#task
    const task = new Promise<TaskContext>((resolve, reject) => this.#waiting.push({ resolve, reject }))
    this.need()
    return task
  }
}
