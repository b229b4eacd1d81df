import assert from 'node:assert/strict'
import { actor } from '../access/actor.ts'
import type { JsonValue } from '../core/json.ts'
import type { CallResponse } from '../core/response.ts'
import type { ToolOptions } from '../core/tool-options.ts'
import type { Executor } from '../execution/executor.ts'
import { RefCache } from '../ref-cache.ts'
import { until } from './store-drafts.ts'

/** An executor that has the tools of `executorTools`. */
export interface OpenedExecutor {
  readonly executor: Executor
  /** Kills whatever runs handlers at the moment, as an operator would. Needed when the setup says `canKill`. */
  kill?(): unknown
  /** Removes what is left. The suite closes the executor before. */
  teardown?(): unknown
}

type CaseOptions = Pick<ToolOptions, 'asyncTimeout' | 'hardTimeout' | 'idempotent' | 'retryDelay'>

/** Who makes the calls. */
export const WHO = actor.user({ id: 'suite' })

/** A cache whose tools the executor runs. */
export class ExecutorBench {
  readonly cache: RefCache
  /** How many handlers run, as the executor says. */
  running = 0

  constructor(readonly opened: OpenedExecutor) {
    const { executor } = opened
    const counting: Executor = {
      execute: async (...call) => {
        this.running++
        return executor.execute(...call).finally(() => this.running--)
      },
      capacity: executor.capacity,
      inputAs: executor.inputAs,
      close: async () => executor.close?.(),
    }
    this.cache = new RefCache({ executors: { suite: counting }, logger: { warn: () => {}, error: () => {} } })
  }

  /** The call of one tool, which nobody shares. */
  call(name: string, input: object = {}, options: CaseOptions = {}): Promise<CallResponse> {
    // The executor has the handler.
    const handler = (): JsonValue => assert.fail('the handler belongs in the executor')
    const tool = this.cache.cached<object, JsonValue>(
      { memoize: false, ...options, name, executor: 'suite', replace: true },
      handler,
    )
    return tool(input, { actor: WHO, interactive: true })
  }

  async value(name: string, input: object = {}): Promise<JsonValue> {
    const { refId } = await this.call(name, input)
    return this.cache.resolve(refId, { actor: WHO })
  }

  /** The handle of a call whose handler has begun. */
  async begin(name: string, options: CaseOptions = {}): Promise<string> {
    const { refId } = await this.call(name, {}, { asyncTimeout: 0, ...options })
    await until(() => this.running > 0, `the handler of ${name}`)
    return refId
  }

  /** The task as it is when `condition` holds. */
  async when(refId: string, condition: (response: CallResponse) => boolean): Promise<CallResponse> {
    for (;;) {
      const response = await this.cache.get(refId, { actor: WHO, wait: '100ms' })
      if (condition(response)) return response
      assert.ok(response.isAsync, `the task should not have ended yet; it is ${response.status}`)
    }
  }

  ended(refId: string): Promise<CallResponse> {
    return this.when(refId, ({ isAsync }) => !isAsync)
  }
}
