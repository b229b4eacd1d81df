import { onAbort } from '../../core/abort.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { InvalidArgument, ProtocolFailure } from '../../core/errors.ts'
import type { JsonObject } from '../../core/json.ts'
import type { InputRequest } from '../../core/question.ts'
import type { RefId } from '../../core/ref.ts'
import { Signal } from '../../core/signal.ts'
import { isSettled, type Task, type TaskWithResult } from './task.ts'
import type { TaskView } from './view.ts'

/** Where a message of 2025-11-25 says which task it belongs to. */
export const RELATED_TASK = 'io.modelcontextprotocol/related-task'

/**
 * Sends a request to the client, and gives its answer.
 * @throws ProtocolFailure where the client refuses
 */
export type SendRequest = (request: InputRequest, signal: AbortSignal) => Promise<object>

/** A request that may wait for the end of a task. */
export interface ResultRequest {
  /** Aborts when the client no longer waits for the answer. */
  readonly signal: AbortSignal
  /** Asks the client while this request waits. Absent: it cannot be asked on this way. */
  readonly send?: SendRequest | undefined
  readonly askers: Askers
}

/** Waits for the end of a task. Meanwhile this request is the way on which the client hears what the task asks. */
export async function waitForEnd(view: TaskView, request: ResultRequest): Promise<TaskWithResult> {
  const { signal, askers } = request
  const task = await view.readWithResult()
  if (isSettled(task)) return task
  const changes = new Signal()
  const wake = () => changes.notify()
  const endWatch = await view.watch(wake)
  const ignore = onAbort(signal, wake)
  const questions = new Questions(view, request, wake)
  const turn = askers.enter(view.refId, questions)
  try {
    for (;;) {
      signal.throwIfAborted()
      const latest = await view.readWithResult()
      if (isSettled(latest)) return latest
      questions.ask((turn.isOurs() && latest.inputRequests) || {})
      await changes.next()
    }
  } finally {
    ignore()
    questions.ask({})
    turn.leave()
    endWatch()
  }
}

/** Who of one connection puts the questions of a task to the client. */
interface TaskAskers {
  /** The requests that wait for the result. */
  readonly waits: Questions[]
  /** The connection itself, on which no request of the client has to wait. */
  connection?: Questions | undefined
}

/**
 * Who asks on one connection, by task: the newest request that waits for a result, since an older one's stream may have dropped, of
 * which nobody hears; else the connection itself. What a reliable connection has asked is not asked again by a request.
 */
export class Askers {
  readonly #byTask = new Map<RefId, TaskAskers>()

  /** From now on a request that waits for the result asks, until a newer one comes or this one leaves. */
  enter(refId: RefId, questions: Questions) {
    const askers = this.#of(refId)
    const { waits, connection } = askers
    if (!connection?.keepsAsking) for (const other of [waits.at(-1), connection]) other?.ask({})
    waits.push(questions)
    return this.#turn(refId, questions, () => waits.splice(waits.indexOf(questions), 1))
  }

  /** The connection asks whenever no request does. */
  enterConnection(refId: RefId, questions: Questions) {
    const askers = this.#of(refId)
    askers.connection = questions
    return this.#turn(refId, questions, () => {
      askers.connection = undefined
    })
  }

  #turn(refId: RefId, questions: Questions, leave: () => void) {
    const askers = this.#of(refId)
    const current = () => {
      const { waits, connection } = askers
      return connection?.keepsAsking ? connection : (waits.at(-1) ?? connection)
    }
    return {
      isOurs: () => current() === questions,
      leave: () => {
        leave()
        if (askers.waits.length === 0 && !askers.connection) this.#byTask.delete(refId)
        current()?.wake()
      },
    }
  }

  #of(refId: RefId): TaskAskers {
    const askers = this.#byTask.get(refId) ?? { waits: [] }
    this.#byTask.set(refId, askers)
    return askers
  }
}

/** A connection that outlasts the requests on it. */
export interface Connection {
  /** A message that belongs to no request. An error ends what it is about. */
  notify(method: string, params: JsonObject): Promise<void> | void
  /** Asks the client, outside of any request. Absent: it cannot be asked so. */
  readonly send?: SendRequest | undefined
  /** What is sent arrives, or the connection is gone. Where a stream may drop unnoticed, a question is asked again by the next request. */
  readonly isReliable: boolean
}

/** So much time a client has to ask for the result, and be asked on that way, before its connection asks by itself. */
const HEAD_START_MS = 1_500

/** Asks on the connection itself what a task asks, for clients that only poll. */
export class ConnectionQuestions {
  readonly #questions: Questions
  readonly #turn: ReturnType<Askers['enterConnection']>
  #open: NonNullable<Task['inputRequests']> = {}
  #cancelTimer = () => {}
  readonly #ended = new AbortController()

  constructor(
    view: TaskView,
    { send, isReliable }: Connection,
    askers: Askers,
    private readonly clock: Clock = systemClock,
  ) {
    const request = { send, signal: this.#ended.signal }
    this.#questions = new Questions(view, request, () => this.#askSoon(), isReliable)
    this.#turn = askers.enterConnection(view.refId, this.#questions)
  }

  /** The task stands like this now. */
  update({ inputRequests = {} }: Task): void {
    this.#open = inputRequests
    this.#questions.withdrawAllBut(inputRequests)
    this.#askSoon()
  }

  end(): void {
    this.#cancelTimer()
    this.#ended.abort()
    this.#turn.leave()
  }

  #askSoon(): void {
    this.#cancelTimer()
    if (this.#ended.signal.aborted || Object.keys(this.#open).length === 0) return
    const ask = () => {
      if (this.#turn.isOurs()) this.#questions.ask(this.#open)
    }
    this.#cancelTimer = this.clock.schedule(HEAD_START_MS, ask, 'background')
  }
}

/** What a task asks, put to the client on one way. */
class Questions {
  /** What was put, and the end of that. What the client leaves open is not put again. */
  readonly #put = new Map<string, AbortController>()

  constructor(
    private readonly view: TaskView,
    private readonly request: Pick<ResultRequest, 'send' | 'signal'>,
    readonly wake: () => void,
    private readonly isReliable = false,
  ) {}

  /** Whether a question that nobody needs to put again waits for its answer. */
  get keepsAsking(): boolean {
    return this.isReliable && this.#put.size > 0
  }

  /** Puts these questions, once each, and withdraws all others. */
  ask(requests: Readonly<Record<string, InputRequest>>): void {
    this.withdrawAllBut(requests)
    for (const [key, request] of Object.entries(requests)) {
      if (this.#put.has(key)) continue
      const withdrawal = new AbortController()
      this.#put.set(key, withdrawal)
      void this.#putOne(key, request, withdrawal.signal).then(this.wake)
    }
  }

  withdrawAllBut(requests: Readonly<Record<string, InputRequest>>): void {
    for (const [key, withdrawal] of this.#put) {
      if (Object.hasOwn(requests, key)) continue
      this.#put.delete(key)
      withdrawal.abort()
    }
  }

  async #putOne(key: string, question: InputRequest, withdrawn: AbortSignal): Promise<void> {
    const { send, signal } = this.request
    if (!send) return
    try {
      const request = relatedRequest(this.view.refId, key, question)
      const ended = AbortSignal.any([signal, withdrawn])
      const answer = await send(request, ended).catch(error => refusalOf(question, error))
      await this.#respond(key, question, answer)
    } catch {
      // The question stays open: for the next request for the result, or for another client.
    }
  }

  /** A form that is not filled in as it was asked for has not been answered. */
  async #respond(key: string, question: InputRequest, answer: object): Promise<void> {
    try {
      await this.view.respond({ [key]: answer })
    } catch (error) {
      if (!(error instanceof InvalidArgument) || question.method !== 'elicitation/create') throw error
      await this.view.respond({ [key]: TURNED_AWAY })
    }
  }
}

function relatedRequest(taskId: RefId, key: string, { method, params }: InputRequest): InputRequest {
  // That revision wants an id of pages that users are sent to.
  const page = params.mode === 'url' ? { elicitationId: `${taskId}/${key}` } : {}
  const _meta = { ...(params._meta as object | undefined), [RELATED_TASK]: { taskId } }
  return { method, params: { ...page, ...params, _meta } }
}

const TURNED_AWAY = { action: 'cancel' }

/** What the handler is told where the client would not ask. Throws what is not the client's own word. */
function refusalOf({ method }: InputRequest, error: unknown): object {
  if (!(error instanceof ProtocolFailure)) throw error
  // An answer of the model has no word for that; of a user it is as if the question had been turned away.
  if (method === 'elicitation/create') return TURNED_AWAY
  return { error: { code: error.rpc.code, message: error.message } }
}
