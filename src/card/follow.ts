import { type Answer, type Running, readAnswer } from './answer.ts'

/** What the card shows. */
export type CardState =
  /** The call has not been answered. */
  | { readonly kind: 'called' }
  | (Answer & { readonly problem?: string; readonly busy?: 'cancelling' | 'retrying' | 'loading' })

/** What the tools of the cache are called at this server. */
export interface ToolNames {
  readonly get: string
  readonly cancel: string
  readonly retry: string
}

export interface TaskFollowerOptions {
  readonly tools: ToolNames
  /** Whether the host lets a card call tools. */
  canAsk(): boolean
  /** Through the host, which asks as whoever sits before it. */
  callTool(name: string, args: Readonly<Record<string, unknown>>): Promise<unknown>
  /** Ends at once when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  show(state: CardState): void
}

/** Of a page: it goes to a person, not to a model. */
const PAGE_TOKENS = 2_000
const FASTEST_MS = 1_000
const SLOWEST_MS = 5_000
const MOST_PATIENT_MS = 30_000

/** Follows the task behind an answer until it ends, and does what the buttons say. */
export class TaskFollower {
  #state: CardState = { kind: 'called' }
  #following = new AbortController()

  constructor(private readonly options: TaskFollowerOptions) {}

  /** The call was answered. */
  answered(result: unknown): void {
    this.#take(readAnswer(result))
  }

  /** The call was given up before it was answered. */
  abandoned(reason: string | undefined): void {
    if (this.#state.kind !== 'called') return
    this.#take({ kind: 'ended', status: 'cancelled', words: reason ?? '', canRetry: false })
  }

  stop(): void {
    this.#following.abort()
  }

  cancel(): Promise<void> {
    return this.#act('cancelling', this.options.tools.cancel)
  }

  retry(): Promise<void> {
    return this.#act('retrying', this.options.tools.retry)
  }

  page(page: number): Promise<void> {
    return this.#act('loading', this.options.tools.get, { page, max_size: PAGE_TOKENS })
  }

  async #act(busy: 'cancelling' | 'retrying' | 'loading', tool: string, more = {}): Promise<void> {
    const state = this.#state
    if (state.kind === 'called' || state.refId === undefined || state.busy) return
    this.#following.abort()
    this.#show({ ...withoutProblem(state), busy })
    try {
      const answer = readAnswer(await this.options.callTool(tool, { ref_id: state.refId, ...more }))
      if (answer.kind === 'refused') throw new Error(answer.words)
      // A task that had ended before it could be cancelled: its value has still to be asked for.
      const isUnseen = answer.kind === 'done' && answer.value === undefined
      this.#take(isUnseen ? withoutProblem(state) : answer)
    } catch (error) {
      this.#take(withoutProblem(state), messageOf(error))
    }
  }

  #take(answer: Answer, problem?: string): void {
    this.#following.abort()
    this.#following = new AbortController()
    this.#show(problem === undefined ? answer : { ...answer, problem })
    if (answer.kind === 'running' && this.options.canAsk()) void this.#follow(answer, this.#following.signal)
  }

  async #follow(from: Running, signal: AbortSignal): Promise<void> {
    let running = from
    let failures = 0
    while (!signal.aborted) {
      await this.options.sleep(failures > 0 ? patience(failures) : pace(running), signal)
      if (signal.aborted) return
      try {
        const asked = { ref_id: running.refId, wait_seconds: 0 }
        const answer = readAnswer(await this.options.callTool(this.options.tools.get, asked))
        if (signal.aborted) return
        if (answer.kind === 'refused' && answer.isTemporary) throw new Error(answer.words)
        if (answer.kind !== 'running') return this.#take(answer)
        running = answer
        failures = 0
        this.#show(answer)
      } catch (error) {
        if (signal.aborted) return
        failures++
        this.#show({ ...running, problem: `Trying again: ${messageOf(error)}` })
      }
    }
  }

  #show(state: CardState): void {
    this.#state = state
    this.options.show(state)
  }
}

/** Often enough for a bar that moves, and seldom for work that takes long. */
function pace({ pollAfterSeconds }: Running): number {
  return Math.min(SLOWEST_MS, Math.max(FASTEST_MS, pollAfterSeconds * 250))
}

function patience(failures: number): number {
  return Math.min(MOST_PATIENT_MS, FASTEST_MS * 2 ** failures)
}

function withoutProblem({ problem: _, busy: __, ...state }: Exclude<CardState, { kind: 'called' }>): Answer {
  return state
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
