import { QueryLimit, StoreUnavailable } from '../core/errors.ts'
import type { Sql, SqlAnswer, SqlQuestion } from './sql.ts'
import { ProcessEnded, type SqlLimits, SqlProcess } from './sql-process.ts'
import { checkStatement } from './statement.ts'
import type { ChildPlace } from './where.ts'

const MOST_PROCESSES = 2

/** How long a process is kept that nobody asks, in milliseconds. */
const IDLE = 60_000

interface Job {
  readonly question: SqlQuestion
  readonly set: string
  take(answer: Promise<SqlAnswer>): void
}

/** Answers questions in child processes, at most two. Callers take turns, so nobody waits for all questions of another one. */
export class SqlEngine implements Sql {
  readonly #processes = new Set<SqlProcess>()
  /** By caller, the one that was served least recently first. */
  readonly #queues = new Map<string, Job[]>()
  readonly #idleTimers = new Map<SqlProcess, NodeJS.Timeout>()
  #isClosed = false

  /** @param onUnstartable hears why processes cannot be started here at all */
  constructor(
    private readonly place: ChildPlace,
    private readonly limits: SqlLimits,
    private readonly onUnstartable: (reason: string) => void = () => {},
  ) {}

  check(sql: string): void {
    checkStatement(sql)
  }

  ask(question: SqlQuestion): Promise<SqlAnswer> {
    if (this.#isClosed) return Promise.reject(new StoreUnavailable('The cache is closed.'))
    const set = JSON.stringify(question.sources.map(({ id, name }) => [id, name]))
    return new Promise((resolve, reject) => {
      const job: Job = { question, set, take: resolve }
      const queue = this.#queues.get(question.caller) ?? []
      queue.push(job)
      this.#queues.set(question.caller, queue)
      question.signal?.addEventListener('abort', () => this.#withdraw(job, reject), { once: true })
      this.#serve()
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const process of this.#processes) this.#end(process)
  }

  /** A question that waits no longer. One that runs ends with its process. */
  #withdraw(job: Job, reject: (reason: unknown) => void): void {
    const queue = this.#queues.get(job.question.caller) ?? []
    const at = queue.indexOf(job)
    if (at < 0) return
    queue.splice(at, 1)
    reject(job.question.signal?.reason)
  }

  #serve(): void {
    for (let job = this.#first(); job; job = this.#first()) {
      const running = this.#begin(job)
      if (!running) return
      this.#takeTurn(job)
      job.take(running)
    }
  }

  /** Undefined: all processes are busy. */
  #begin(job: Job): Promise<SqlAnswer> | undefined {
    try {
      const process = this.#processFor(job)
      return process && this.#run(process, job)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #first(): Job | undefined {
    for (const [caller, [job]] of this.#queues) {
      if (job) return job
      this.#queues.delete(caller)
    }
    return undefined
  }

  /** Its caller stands behind all others from now on. */
  #takeTurn({ question: { caller } }: Job): void {
    const [, ...rest] = this.#queues.get(caller) ?? []
    this.#queues.delete(caller)
    if (rest.length > 0) this.#queues.set(caller, rest)
  }

  /** One that has the value already, else one that is free, else a new one. */
  #processFor({ set }: Job): SqlProcess | undefined {
    const free = [...this.#processes].filter(({ isBusy }) => !isBusy)
    const found = free.find(process => process.has(set)) ?? free[0]
    if (found || this.#processes.size >= MOST_PROCESSES) return found
    return this.#start()
  }

  /** @throws StoreUnavailable */
  #start(): SqlProcess {
    try {
      const process: SqlProcess = new SqlProcess(this.place, this.limits, () => this.#forget(process))
      this.#processes.add(process)
      return process
    } catch (cause) {
      throw this.#explainEnd(new ProcessEnded(false, cause))
    }
  }

  #explainEnd({ hasStarted, cause }: ProcessEnded): Error {
    const { code } = (cause ?? {}) as NodeJS.ErrnoException
    if (hasStarted) return outOfMemory(this.limits)
    if (code !== undefined && FORBIDDEN.has(code))
      this.onUnstartable(`this process may not start others (${code})`)
    return new StoreUnavailable(NO_PROCESS)
  }

  async #run(process: SqlProcess, { question, set }: Job): Promise<SqlAnswer> {
    clearTimeout(this.#idleTimers.get(process))
    const isShared = process.holdsOthers(set)
    try {
      return await process.answer(set, question)
    } catch (error) {
      this.#forgetIfEnded(process, error)
      if (!(error instanceof ProcessEnded)) throw error
      // What others had loaded took the memory: alone it may fit.
      if (isShared && !this.#isClosed)
        return await this.#run(this.#start(), { question, set, take: () => {} })
      throw this.#explainEnd(error)
    } finally {
      this.#keepWhileIdle(process)
      queueMicrotask(() => this.#serve())
    }
  }

  #forgetIfEnded(process: SqlProcess, error: unknown): void {
    if (error instanceof ProcessEnded || process.hasEnded) this.#forget(process)
  }

  #keepWhileIdle(process: SqlProcess): void {
    if (!this.#processes.has(process)) return
    const timer = setTimeout(() => this.#end(process), IDLE)
    timer.unref()
    this.#idleTimers.set(process, timer)
  }

  #end(process: SqlProcess): void {
    this.#forget(process)
    process.kill()
  }

  #forget(process: SqlProcess): void {
    clearTimeout(this.#idleTimers.get(process))
    this.#idleTimers.delete(process)
    this.#processes.delete(process)
  }
}

/** What the system says where starting a process will not work the next time either. */
const FORBIDDEN = new Set(['EPERM', 'EACCES', 'ENOENT', 'ENOSYS', 'ERR_ACCESS_DENIED'])

const NO_PROCESS =
  'Questions in SQL cannot be answered here at the moment: the process for them does not start. Use search, or read pages with get_cached_result.'

function outOfMemory({ memory }: SqlLimits): QueryLimit {
  return new QueryLimit(
    `The question needed more than ${Math.round(memory / 1024 / 1024)} MB of memory, the most that is allowed here, and was stopped. Ask for less at once: fewer columns, a narrower WHERE, or a part of the value (ref_id#/json/pointer).`,
  )
}
