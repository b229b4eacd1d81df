import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { InvalidArgument, QueryLimit, RefCacheError } from '../core/errors.ts'
import type { JsonValue } from '../core/json.ts'
import { JsonReader } from '../core/json-reader.ts'
import { parseJson } from '../core/json-text.ts'
import { FrameReader, frameHeader, writeFrame } from './frames.ts'
import type { ChildRequest, ChildResponse } from './messages.ts'
import type { SqlAnswer, SqlDocument, SqlQuestion, SqlSource } from './sql.ts'
import type { ChildPlace } from './where.ts'

/** What one question may take. */
export interface SqlLimits {
  /** Milliseconds. */
  readonly asking: number
  readonly loading: number
  /** Bytes that the process takes in all. */
  readonly memory: number
}

/** The process ended by itself while it was at work: SQLite had not enough memory, or its watch ended it; or it never started. */
export class ProcessEnded extends Error {
  /** @param cause why the system did not start it */
  constructor(
    readonly hasStarted: boolean,
    cause?: unknown,
  ) {
    super('The process that answers in SQL has ended.', { cause })
  }
}

/** One process that answers in SQL, one question at a time. */
export class SqlProcess {
  readonly #child: ChildProcess
  readonly #frames = new FrameReader()
  /** What it holds, least recently asked first; bytes by set. */
  readonly #sets = new Map<string, number>()
  #isBusy = false
  #hasStarted = false
  #ended: Error | undefined
  /** Rejects when it ends, whatever it is at. */
  readonly #gone: Promise<never>
  #end: (reason: Error) => void = () => {}
  /** Takes the response to the request that is under way. */
  #onResponse: (response: ChildResponse) => void = () => {}
  #rows: JsonValue[] = []
  #partial: JsonReader | undefined

  constructor(
    place: ChildPlace,
    private readonly limits: SqlLimits,
    onEnd: () => void,
  ) {
    const { node, flags, entry } = place
    this.#child = spawn(
      node,
      ['--no-warnings', '--max-old-space-size=384', ...flags, entry, String(limits.memory)],
      {
        env: {},
        stdio: ['pipe', 'pipe', 'ignore'],
        windowsHide: true,
      },
    )
    this.#gone = new Promise((_, reject) => {
      this.#end = reason => {
        this.#ended ??= reason
        reject(this.#ended)
      }
    })
    this.#gone.catch(() => {})
    const end = (cause?: unknown) => {
      this.#end(new ProcessEnded(this.#hasStarted, cause))
      onEnd()
    }
    this.#child.once('error', end)
    this.#child.once('exit', () => end())
    // Its end says what there is to say.
    this.#child.stdin?.on('error', () => {})
    this.#child.stdout?.on('data', (chunk: Buffer) => this.#onData(chunk))
    this.#keepAlive(false)
  }

  get isBusy(): boolean {
    return this.#isBusy
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined
  }

  has(set: string): boolean {
    return this.#sets.has(set)
  }

  /** Whether it holds anything but that. */
  holdsOthers(set: string): boolean {
    return this.#sets.size > (this.has(set) ? 1 : 0)
  }

  /** Ends it, whatever it is at. */
  kill(reason?: Error): void {
    this.#end(reason ?? new ProcessEnded(this.#hasStarted))
    this.#child.kill('SIGKILL')
  }

  /** @throws as `Sql.ask`; ProcessEnded */
  async answer(set: string, { sources, sql, maxBytes, signal }: SqlQuestion): Promise<SqlAnswer> {
    this.#isBusy = true
    this.#keepAlive(true)
    const stop = () => this.kill(reasonOf(signal))
    signal?.addEventListener('abort', stop, { once: true })
    try {
      signal?.throwIfAborted()
      const { loading, asking } = this.limits
      if (!this.#sets.has(set))
        await this.#within(loading, 'Loading the value', () => this.#load(set, sources))
      return await this.#within(asking, 'The question', () => this.#ask(set, sql, maxBytes))
    } finally {
      signal?.removeEventListener('abort', stop)
      this.#isBusy = false
      this.#keepAlive(false)
    }
  }

  async #load(set: string, sources: readonly SqlSource[]): Promise<void> {
    try {
      for (const source of sources) {
        const document = await source.open()
        const { kind, length, containers, blocks } = document
        await this.#send({
          type: 'load',
          set,
          kind,
          ...(length === undefined ? {} : { length }),
          ...(containers ? { containers } : {}),
          ...(blocks ? { blocks } : {}),
          ...(source.name === undefined ? {} : { name: source.name }),
        })
        for await (const frame of framesOf(document)) {
          this.#makeRoom()
          await this.#write(...frame)
          // A pipe that takes all, and a store in memory, would never let others have their turn.
          await new Promise(resolve => setImmediate(resolve))
        }
        const response = await this.#request({ type: 'end' })
        if (response.type === 'loaded') this.#sets.set(set, response.bytes)
      }
    } catch (error) {
      this.#sets.delete(set)
      // Half of a value must not be asked.
      if (!this.#ended) this.kill()
      throw error
    }
  }

  /** Gives up what was asked least recently, so that what comes has half of the memory. */
  #makeRoom(): void {
    const total = () => [...this.#sets.values()].reduce((sum, bytes) => sum + bytes, 0)
    while (this.#sets.size > 0 && total() > this.limits.memory / 2) {
      const [oldest] = this.#sets.keys()
      this.#sets.delete(oldest as string)
      void this.#send({ type: 'drop', set: oldest as string })
    }
  }

  async #ask(set: string, sql: string, maxBytes: number): Promise<SqlAnswer> {
    const bytes = this.#sets.get(set) as number
    this.#sets.delete(set)
    this.#sets.set(set, bytes)
    this.#rows = []
    const response = await this.#request({ type: 'ask', set, sql, maxBytes })
    const rows = this.#rows
    this.#rows = []
    if (response.type !== 'answered') throw new ProcessEnded(true)
    return { rows, columns: response.columns, note: response.note }
  }

  async #within<T>(limit: number, what: string, run: () => Promise<T>): Promise<T> {
    const tooLong = () =>
      this.kill(
        new QueryLimit(
          `${what} took more than ${limit / 1000} s, the most that is allowed here, and was stopped. Ask for less at once: a narrower WHERE, fewer joined rows, or a part of the value (ref_id#/json/pointer).`,
        ),
      )
    const timer = setTimeout(tooLong, limit)
    try {
      return await run()
    } finally {
      clearTimeout(timer)
    }
  }

  /** Sends a request, and waits for its response. */
  async #request(request: ChildRequest): Promise<ChildResponse> {
    const responded = new Promise<ChildResponse>(resolve => {
      this.#onResponse = resolve
    })
    await this.#send(request)
    const response = await Promise.race([responded, this.#gone])
    if (response.type !== 'failed') return response
    throw response.code === 'invalid_argument'
      ? new InvalidArgument(response.message)
      : new LoadFailed(response.message)
  }

  #send(request: ChildRequest): Promise<void> {
    return this.#write(writeFrame({ kind: 'message', text: JSON.stringify(request) }))
  }

  async #write(...frame: readonly Uint8Array[]): Promise<void> {
    if (this.#ended) throw this.#ended
    const { stdin } = this.#child
    if (!stdin) return
    stdin.cork()
    for (const part of frame) stdin.write(part)
    stdin.uncork()
    if (!stdin.writableNeedDrain) return
    const drained = new AbortController()
    try {
      await Promise.race([once(stdin, 'drain', { signal: drained.signal }), this.#gone])
    } finally {
      drained.abort()
    }
  }

  #onData(chunk: Buffer): void {
    for (const { kind, text } of this.#frames.read(chunk)) {
      if (kind !== 'message') {
        this.#takeRows(text, kind === 'part')
        continue
      }
      const response = JSON.parse(text) as ChildResponse
      if (response.type === 'started') this.#hasStarted = true
      else this.#onResponse(response)
    }
  }

  /** A row with large cells comes in parts, and is read as it comes. */
  #takeRows(text: string, isPart: boolean): void {
    if (isPart) this.#partial ??= new JsonReader()
    this.#partial?.push(text)
    if (isPart) return
    const rows = (this.#partial ? this.#partial.end() : parseJson(text)) as JsonValue[]
    this.#partial = undefined
    for (const row of rows) this.#rows.push(row)
  }

  /** Decides whether the child keeps this process from ending. */
  #keepAlive(isKept: boolean): void {
    const { stdin, stdout } = this.#child as unknown as Record<'stdin' | 'stdout', Partial<Referenced> | null>
    for (const one of [this.#child, stdin, stdout]) {
      if (isKept) one?.ref?.()
      else one?.unref?.()
    }
  }
}

/** The text of a source, as it is stored where that is possible. */
async function* framesOf(document: SqlDocument): AsyncGenerator<readonly Uint8Array[], void> {
  if (document.utf8) for await (const bytes of document.utf8()) yield [frameHeader('data', bytes), bytes]
  else for await (const text of document.text()) yield [writeFrame({ kind: 'data', text })]
}

interface Referenced {
  ref(): void
  unref(): void
}

/** What went wrong in the process itself. */
class LoadFailed extends RefCacheError {
  readonly name = 'LoadFailed'
  readonly code = 'internal'
}

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason
  return reason instanceof Error ? reason : new Error('The question was cancelled.')
}
