import { describedActor } from '../../access/actor.ts'
import { type Abortable, abortableUnder } from '../../core/abort.ts'
import { retryWhileAway } from '../../core/backoff.ts'
import type { Entry, ProcessingEntry } from '../../core/entry.ts'
import { InputUnavailable, TaskCancelled } from '../../core/errors.ts'
import type { JsonObject } from '../../core/json.ts'
import { copyJson } from '../../core/json-text.ts'
import {
  canBeAsked,
  checkSize,
  type InputRequest,
  type Question,
  refusalIn,
  toInputRequest,
} from '../../core/question.ts'
import { channels, isHeard, trace } from '../../telemetry/channels.ts'
import type { Engine } from '../engine.ts'
import { lost } from './lease.ts'
import type { QueueSlot } from './queue.ts'
import { Waits } from './waits.ts'

/** What one run of a handler asks, in the order in which it asks: by that the next run finds the answers. */
export class Asker {
  /** How many questions of this run are stored. */
  #place = 0
  /** The questions are stored one after another, in the order of the calls. */
  #turn: Promise<unknown> = Promise.resolve()
  #asking: { readonly own: Abortable; readonly waits: Waits } | undefined
  #isOver = false

  constructor(
    private readonly engine: Engine,
    private readonly entry: ProcessingEntry,
    private readonly slot: QueueSlot,
    private readonly signal: AbortSignal,
  ) {}

  /** The answer to a question, whenever it comes, or came in an earlier run; until `givenUp` aborts. */
  ask(method: InputRequest['method'], params: unknown, givenUp?: AbortSignal): Promise<JsonObject> {
    const answer = this.#ask(method, params, givenUp)
    // A handler may leave before it has its answer; then nobody is there to hear of the rejection.
    answer.catch(() => {})
    return answer
  }

  /** The run is over: it asks no more, and what it asked is waited for no longer. */
  async end(): Promise<void> {
    this.#isOver = true
    if (!this.#asking) return
    const { own, waits } = this.#asking
    own.abort(isOver())
    own.end()
    await this.#turn
    await waits.end()
  }

  /** Most runs ask nothing. */
  #begin(): { readonly own: Abortable; readonly waits: Waits } {
    if (this.#asking) return this.#asking
    const own = abortableUnder(this.signal)
    if (this.#isOver) own.abort(isOver())
    this.#asking = { own, waits: new Waits(this.slot, own.signal) }
    return this.#asking
  }

  async #ask(
    method: InputRequest['method'],
    params: unknown,
    givenUp: AbortSignal | undefined,
  ): Promise<JsonObject> {
    // Whoever cannot be asked anything is the first thing that a handler should hear of.
    if (!this.entry.interactive) throw new InputUnavailable()
    const request = toInputRequest(method, params)
    if (!canBeAsked(this.entry.interactive, request)) throw new InputUnavailable()
    const stored = this.#turn.then(() => {
      givenUp?.throwIfAborted()
      return this.#store(request)
    })
    this.#turn = stored.catch(() => {})
    const { key, answer: known } = await stored
    const answer = known ?? (await this.#begin().waits.during(() => this.#wait(key, method, givenUp)))
    const refusal = refusalIn(method, answer)
    if (refusal !== undefined)
      throw new InputUnavailable(`The client refused what the task asked: ${refusal.message}`, refusal)
    return copyJson(answer)
  }

  /** The question as the entry has it: durable before anybody can see it. */
  async #store(request: InputRequest): Promise<Question> {
    const { refId, lease } = this.entry
    const place = this.#place
    const { entry, refused } = await this.#patiently(async () => {
      const before = await this.engine.entries.read(refId)
      // A question is in words of the handler, which somebody who may not see the value is not told.
      if (before && !isForStarter(this.engine, before)) throw new InputUnavailable()
      const sofar = before?.questions?.slice(0, place).map(({ params }) => params) ?? []
      checkSize([...sofar, request.params], 'The questions')
      const now = this.engine.clock.now()
      return this.engine.entries.change(refId, { type: 'ask', owner: lease.owner, place, request, now })
    })
    const question = entry?.questions?.[place]
    if ((refused && refused !== 'already_asked') || !question) throw lost()
    this.#place++
    return question
  }

  #wait(key: string, method: string, givenUp: AbortSignal | undefined): Promise<JsonObject> {
    const { name, running, toolLabel } = this.engine
    const { refId, toolName } = this.entry
    const wait = () => running.whileAsking(refId, () => this.#answerUnless(givenUp, key))
    if (!isHeard(channels.question)) return wait()
    const tool = toolName === undefined ? undefined : toolLabel(toolName)
    return trace(channels.question, { cache: name, tool, refId, method }, wait)
  }

  async #answerUnless(givenUp: AbortSignal | undefined, key: string): Promise<JsonObject> {
    const wait = abortableUnder(this.#begin().own.signal, ...(givenUp ? [givenUp] : []))
    try {
      return await this.#answerTo(key, wait.signal)
    } catch (error) {
      if (givenUp?.aborted) await this.#withdraw(key)
      throw error
    } finally {
      wait.end()
    }
  }

  /** So that nobody is asked for what nobody reads. Refused: it has its answer, or the task is not ours any more. */
  async #withdraw(key: string): Promise<void> {
    const { refId, lease } = this.entry
    await this.#patiently(() => {
      const now = this.engine.clock.now()
      return this.engine.entries.change(refId, { type: 'withdraw', owner: lease.owner, key, now })
    })
  }

  async #answerTo(key: string, signal: AbortSignal): Promise<JsonObject> {
    for (;;) {
      const latest = await this.#patiently(() => this.#followUntilAnswered(key, signal), signal)
      signal.throwIfAborted()
      if (!latest) throw lost()
      const answer = answerIn(latest, key)
      if (answer) return answer
      if (latest.status !== 'processing') throw lost()
    }
  }

  #followUntilAnswered(key: string, signal: AbortSignal): Promise<Entry | undefined> {
    const done = new AbortController()
    return this.engine.entries.follow(this.entry, {
      within: undefined,
      signals: [signal, done.signal],
      // Nobody is there to answer once all else in this process has ended.
      kind: 'background',
      onChange: latest => {
        if (answerIn(latest, key) || latest.status !== 'processing') done.abort()
      },
    })
  }

  /** An answer may take days. */
  async #patiently<T>(step: () => Promise<T>, signal = this.#begin().own.signal): Promise<T> {
    signal.throwIfAborted()
    return retryWhileAway(step, this.engine.clock, signal)
  }
}

function isOver(): TaskCancelled {
  return new TaskCancelled('This run of the task is over.')
}

function isForStarter({ access }: Engine, entry: Entry): boolean {
  return access.canReadMessages(entry, describedActor(entry.startedBy))
}

function answerIn({ questions = [] }: Entry, key: string): JsonObject | undefined {
  return questions.find(question => question.key === key)?.answer
}
