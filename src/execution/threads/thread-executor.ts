import type { EncodedValue } from '../../core/codec.ts'
import { WorkerLost } from '../../core/errors.ts'
import type { JsonValue } from '../../core/json.ts'
import { stringifyJson } from '../../core/json-text.ts'
import type { Appended, ExecutionContext, Executor } from '../executor.ts'
import type { ToolPlace } from './messages.ts'
import type { ThreadSettings } from './options.ts'
import { ThreadPool } from './pool.ts'
import { ThreadRun } from './run.ts'
import { findHandler, moduleUrl } from './tool-module.ts'

/** Gives each run a thread of its own for as long as it lasts. */
export class ThreadExecutor implements Executor {
  readonly capacity: number
  readonly #runs = new Map<ThreadRun, Promise<unknown>>()
  /** Where handlers are exported, as far as that was looked for. */
  readonly #places = new WeakMap<object, Promise<Pick<ToolPlace, 'modules' | 'export'> | undefined>>()
  #pool: Promise<ThreadPool> | undefined
  #isClosed = false

  constructor(private readonly settings: ThreadSettings) {
    this.capacity = settings.threads
  }

  async execute(
    toolName: string,
    input: JsonValue,
    context: ExecutionContext,
  ): Promise<EncodedValue | Appended> {
    const { tool } = context
    const place = await this.#placeOf(toolName, tool)
    const pool = await this.#open()
    context.signal.throwIfAborted()
    if (this.#isClosed) throw closed()
    const run = new ThreadRun(context, this.settings.grace)
    const result = run.result(pool, {
      place,
      verbatim: tool?.verbatim ?? false,
      projection: tool?.projection,
      input: { json: stringifyJson(input) },
    })
    this.#runs.set(run, result)
    return result.finally(() => this.#runs.delete(run))
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

  async #placeOf(name: string, tool: ExecutionContext['tool']): Promise<ToolPlace> {
    const { modules } = this.settings
    if (tool?.run) {
      const { module, export: exported } = tool.run
      return { name, modules: [moduleUrl(module, `The \`run.module\` of tool '${name}'`)], export: exported }
    }
    return { name, modules, ...(tool && (await this.#search(tool.handler))) }
  }

  #search(handler: object): Promise<Pick<ToolPlace, 'modules' | 'export'> | undefined> {
    const known = this.#places.get(handler) ?? findHandler(this.settings.modules, handler)
    this.#places.set(handler, known)
    return known
  }
}

function closed(): WorkerLost {
  return new WorkerLost('The threads of this cache were closed.')
}
