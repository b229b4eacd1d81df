import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { CallOptions, CallResponse, GetOptions, RefCacheOptions, RefId } from '../../../src/index.ts'
import { until } from './until.ts'

const PROGRAM = fileURLToPath(new URL('worker.mjs', import.meta.url))

/** Where a task can be hit; `deadly-points.mjs` knows what they mean. */
export type Point =
  | 'after claim'
  | 'after start'
  | 'in handler'
  | 'before settle'
  | 'after settle'
  | 'after take'
  | 'after postpone'

export interface StoreConfig {
  readonly kind: 'sqlite' | 'redis'
  /** A path or a URL. */
  readonly at: string
  readonly options?: { readonly prefix?: string; readonly operationTimeout?: string }
}

export interface WorkerConfig {
  readonly store: StoreConfig
  /** The file in which handlers write what they do. */
  readonly record: string
  readonly cache?: RefCacheOptions
  readonly tool?: {
    asyncTimeout?: number
    ttl?: number
    maxRetries?: number
    retryDelay?: number
    retryBackoffFactor?: number
  }
  readonly die?: { point: Point; nth?: number; signal?: 'SIGKILL' | 'SIGSTOP' } | undefined
  /** How far its wall clock is ahead. */
  readonly skewMs?: number
  readonly nodeOptions?: readonly string[]
}

export type ToolName = 'safe' | 'unsafe'

export interface WorkInput {
  readonly id: string
  readonly ms?: number
  /** Characters of the value's body. */
  readonly size?: number
  readonly steps?: number
  /** The handler ends when this file is there. */
  readonly gate?: string
  readonly heed?: boolean
  /** The handler fails, every time. */
  readonly fails?: boolean
}

/** A value is intact when its digest is that of its body. */
export interface Verdict {
  readonly id: string
  readonly by: number
  readonly size: number
  readonly digest: string
  readonly intact: boolean
}

export type Look = Omit<CallResponse, 'value'> & { value?: Verdict; errorCode?: string; canRetry?: boolean }

/** What a process says of its own accord; each line has one of these. */
export interface Line {
  readonly claimed?: RefId
  /** Of the input that was claimed. */
  readonly id?: string
  readonly joined?: RefId
  readonly begun?: string
  readonly ended?: string
  readonly settling?: RefId
  readonly settled?: RefId
  readonly as?: string
  readonly taken?: RefId
  readonly recovered?: RefId
  readonly aborted?: string
  readonly code?: string
  readonly dying?: Point
}

/** The process ended before it answered. */
export class Died extends Error {}

/** An error that the process answered with. */
export class Refused extends Error {
  constructor(
    readonly code: string | undefined,
    message: string,
  ) {
    super(message)
  }
}

interface Question {
  resolve(value: unknown): void
  reject(error: Error): void
}

const alive = new Set<ChildProcess>()
// A test run that is cut short must not leave stopped processes behind.
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

/** A process that shares a store with others. */
export class Worker {
  readonly said: Line[] = []
  readonly died: Promise<{ code: number | null; signal: string | null }>
  readonly #child: ChildProcess
  readonly #questions = new Map<number, Question>()
  readonly #listeners = new Set<(line: Line) => void>()
  #asked = 0
  #complaints = ''

  static async start(config: WorkerConfig): Promise<Worker> {
    const worker = new Worker(config)
    const gone = worker.died.then(() =>
      Promise.reject(new Error(`A worker did not start: ${worker.complaints}`)),
    )
    await Promise.race([worker.hears(line => 'ready' in line), gone])
    return worker
  }

  private constructor({ nodeOptions = [], ...config }: WorkerConfig) {
    // Old Nodes come with an SQLite that warns of a bug which these short lives do not meet.
    const options = ['--disable-warning=REFCACHE_SQLITE_WAL_RESET', ...nodeOptions]
    const child = spawn(process.execPath, [...options, PROGRAM, JSON.stringify(config)], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#child = child
    alive.add(child)
    // What it said is complete when the pipes are closed, not when it exits.
    this.died = once(child, 'close').then(([code, signal]) => {
      alive.delete(child)
      return { code, signal }
    })
    createInterface({ input: child.stdout }).on('line', line => this.#hear(JSON.parse(line)))
    child.once('close', () => {
      for (const { reject } of this.#questions.values())
        reject(new Died('The worker died before it answered.'))
      this.#questions.clear()
    })
    child.stderr.on('data', chunk => {
      this.#complaints += chunk
    })
    // To write to a process that was just killed is no error here.
    child.stdin.on('error', () => {})
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** What it wrote to stderr: nothing, unless something is wrong. */
  get complaints(): string {
    return this.#complaints
  }

  call(tool: ToolName, input: WorkInput, options: CallOptions = {}): Promise<CallResponse> {
    return this.#ask('call', { tool, input, options })
  }

  get(refId: RefId, options: GetOptions = {}): Promise<CallResponse> {
    return this.#ask('get', { refId, options })
  }

  look(refId: RefId, wait?: number): Promise<Look> {
    return this.#ask('look', { refId, wait })
  }

  cancel(refId: RefId): Promise<CallResponse> {
    return this.#ask('cancel', { refId })
  }

  cancelAndRetry(refId: RefId): Promise<CallResponse> {
    return this.#ask('cancelAndRetry', { refId })
  }

  retry(refId: RefId): Promise<CallResponse> {
    return this.#ask('retry', { refId })
  }

  memory(): Promise<{ heapUsed: number; exact: boolean }> {
    return this.#ask('memory', {})
  }

  limitPages(pages: number): Promise<void> {
    return this.#ask('limitPages', { pages })
  }

  pollTimes(refIds: readonly RefId[], count: number): Promise<number[]> {
    return this.#ask('pollTimes', { refIds, count })
  }

  /** Looks until the task has come to its end. */
  async outcome(refId: RefId, patienceMs = 60_000): Promise<Look> {
    let latest: Look | undefined
    await until(
      async () => {
        latest = await this.look(refId, 1_000)
        return latest.status !== 'pending' && latest.status !== 'processing'
      },
      () => `${refId} should have come to its end, and is ${JSON.stringify(latest)}`,
      patienceMs,
    )
    return latest!
  }

  /** The first line, said or still to be said, that is looked for. */
  async hears(wanted: (line: Line) => boolean, patienceMs = 60_000): Promise<Line> {
    const said = this.said.find(wanted)
    if (said) return said
    let timer: NodeJS.Timeout | undefined
    let listener = (_: Line) => {}
    try {
      return await new Promise((resolve, reject) => {
        listener = line => wanted(line) && resolve(line)
        this.#listeners.add(listener)
        const late = () => reject(new Error(`Not said in ${patienceMs} ms: ${wanted}. ${this.complaints}`))
        timer = setTimeout(late, patienceMs)
      })
    } finally {
      clearTimeout(timer)
      this.#listeners.delete(listener)
    }
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.died
  }

  pause(): void {
    this.#child.kill('SIGSTOP')
  }

  resume(): void {
    this.#child.kill('SIGCONT')
  }

  /**
   * Lets it close its cache and end, which must go well.
   * @param told what it says on stderr until then
   */
  async end(told = /^$/): Promise<void> {
    this.#child.stdin?.end()
    const { code, signal } = await this.died
    assert.deepEqual({ code, signal }, { code: 0, signal: null })
    assert.match(this.#complaints, told)
  }

  #hear(line: Line & { answer?: number; value?: unknown; error?: { code?: string; message: string } }): void {
    if (line.answer === undefined) {
      this.said.push(line)
      for (const listener of this.#listeners) listener(line)
      return
    }
    const question = this.#questions.get(line.answer)
    this.#questions.delete(line.answer)
    if (line.error) question?.reject(new Refused(line.error.code, line.error.message))
    else question?.resolve(line.value)
  }

  #ask<T>(name: string, command: object): Promise<T> {
    const ask = ++this.#asked
    const answer = new Promise<unknown>((resolve, reject) => this.#questions.set(ask, { resolve, reject }))
    // Who dies in mid-call often leaves calls behind that nobody waits for any more.
    answer.catch(() => {})
    if (!this.#child.stdin?.writable) {
      this.#questions.get(ask)?.reject(new Died('The worker is dead.'))
      this.#questions.delete(ask)
    } else this.#child.stdin.write(`${JSON.stringify({ ask, name, ...command })}\n`)
    return answer as Promise<T>
  }
}
