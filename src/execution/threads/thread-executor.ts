import type { EncodedValue, ValueEncoding } from '../../core/codec.ts'
import { WorkerLost } from '../../core/errors.ts'
import { adaptedFrom } from '../../core/handler.ts'
import type { JsonValue } from '../../core/json.ts'
import type { LargeSource } from '../../values/segments/writer.ts'
import type { Appended, ExecutionContext, Executor, RegisteredTool } from '../executor.ts'
import { encodeInThread } from './encoding.ts'
import type { ThreadToolInfo, ToolPlace } from './messages.ts'
import type { ThreadSettings } from './options.ts'
import { ThreadPool } from './pool.ts'
import { ThreadRun } from './run.ts'
import { findHandler, moduleUrl } from './tool-module.ts'

/** Gives each run a thread of its own for as long as it lasts. */
export class ThreadExecutor implements Executor {
  readonly inputAs = 'json'
  readonly capacity: number
  readonly #runs = new Map<ThreadRun, Promise<unknown>>()
  /** Where handlers are exported, as far as that was looked for. */
  readonly #places = new WeakMap<object, Promise<Pick<ToolPlace, 'modules' | 'export'> | undefined>>()
  #pool: Promise<ThreadPool> | undefined
  #isClosed = false
  /** Values that threads encode now. */
  #encoding = 0

  constructor(private readonly settings: ThreadSettings) {
    this.capacity = settings.threads
  }

  async execute(
    toolName: string,
    input: JsonValue,
    context: ExecutionContext,
  ): Promise<EncodedValue | Appended> {
    const tool = await this.#describe(toolName, context.tool)
    const pool = await this.#open()
    context.signal.throwIfAborted()
    if (this.#isClosed) throw closed()
    const run = new ThreadRun(context, schemasOf(context.tool), this.settings.grace)
    const result = run.result(pool, tool, input as string)
    this.#runs.set(run, result)
    return result.finally(() => this.#runs.delete(run))
  }

  /** No more at once than threads may compute: what no thread is free for is encoded by whoever asks. */
  async encode(source: LargeSource, encoding: ValueEncoding): Promise<EncodedValue | undefined> {
    if (this.#isClosed || this.#encoding >= this.capacity) return undefined
    this.#encoding++
    try {
      const pool = await this.#open().catch(() => undefined)
      return pool && (await encodeInThread(pool, source, encoding))
    } finally {
      this.#encoding--
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const run of this.#runs.keys()) run.stop(closed())
    await Promise.allSettled(this.#runs.values())
    const pool = await this.#pool?.catch(() => undefined)
    await pool?.close()
  }

  #open(): Promise<ThreadPool> {
    this.#pool ??= ThreadPool.open(this.settings)
    return this.#pool
  }

  async #describe(name: string, tool: RegisteredTool | undefined): Promise<ThreadToolInfo> {
    const { input, output } = schemasOf(tool)
    return {
      place: await this.#placeOf(name, tool),
      verbatim: tool?.verbatim ?? false,
      projection: tool?.projection,
      adapted: tool !== undefined && adaptedFrom(tool.handler) !== undefined,
      schemas: [...(input ? (['input'] as const) : []), ...(output ? (['output'] as const) : [])],
    }
  }

  async #placeOf(name: string, tool: RegisteredTool | undefined): Promise<ToolPlace> {
    const { modules } = this.settings
    if (!tool) return { name, modules }
    const { handler, run } = tool
    if (!run) return { name, modules, ...(await this.#search(adaptedFrom(handler)?.from ?? handler)) }
    const module = moduleUrl(run.module, `The \`run.module\` of tool '${name}'`)
    return { name, modules: [module], export: run.export }
  }

  #search(handler: object): Promise<Pick<ToolPlace, 'modules' | 'export'> | undefined> {
    const known = this.#places.get(handler) ?? findHandler(this.settings.modules, handler)
    this.#places.set(handler, known)
    return known
  }
}

function schemasOf(tool: RegisteredTool | undefined) {
  return { input: tool?.input, output: tool && adaptedFrom(tool.handler)?.output }
}

function closed(): WorkerLost {
  return new WorkerLost('The threads of this cache were closed.')
}
