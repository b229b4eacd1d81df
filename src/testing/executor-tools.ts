import { setTimeout as sleep } from 'node:timers/promises'
import { InvalidArgument } from '../core/errors.ts'
import type { Handler, TaskContext } from '../core/handler.ts'
import type { JsonObject } from '../core/json.ts'
import type { ElicitParams } from '../core/question.ts'
import type { StandardSchema } from '../core/standard-schema.ts'
import type { ExecutableTool } from '../execution/executor-handler.ts'

/** How long a handler goes on that ignores its signal. */
export const IGNORES_FOR_MS = 700

/** How many reports the tool `count` gives, in bursts. */
export const REPORTS = 2_000
const BURSTS = 20

const question = (message: string): ElicitParams => ({
  message,
  requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
})

/** Makes a Date of `at`, as no JSON can. */
const dated: StandardSchema<unknown, { at: Date }> = {
  '~standard': {
    version: 1,
    vendor: 'mcp-refcache',
    validate(input) {
      const at = new Date(String((input as { at?: unknown }).at))
      return Number.isNaN(at.getTime()) ? { issues: [{ message: 'is no date' }] } : { value: { at } }
    },
  },
}

const handlers = {
  echo: (input: JsonObject) => input,
  year: ({ at }: { at: Date }) => at.getUTCFullYear(),
  about: (_: unknown, { refId, attempt, actor }: TaskContext) => ({ refId, attempt, actor: { ...actor } }),
  large: ({ bytes }: { bytes: number }) => ({ text: 'ä'.repeat(bytes / 2) }),
  big: () => 10n,
  fail() {
    throw Object.assign(new Error('the disk failed', { cause: new Error('a cable') }), { code: 'EDISK' })
  },
  refuse() {
    throw new InvalidArgument('Nothing is ever right.')
  },
  async count(_: unknown, task: TaskContext) {
    for (let n = 1; n <= REPORTS; n++) {
      task.progress(n, REPORTS, `number ${n}`)
      if (n % (REPORTS / BURSTS) === 0) await sleep(20)
    }
    return 'counted'
  },
  async obey(_: unknown, task: TaskContext) {
    await new Promise<void>(resolve => {
      task.signal.addEventListener('abort', () => resolve())
      if (task.signal.aborted) resolve()
    })
    throw task.signal.reason
  },
  async ignore() {
    await sleep(IGNORES_FOR_MS)
    return 'too late'
  },
  async append(_: unknown, task: TaskContext) {
    for (let n = 0; n < 20; n++) await task.append(Array.from({ length: 100 }, (_, i) => n * 100 + i))
    return [2_000]
  },
  async mix(_: unknown, task: TaskContext) {
    await task.append([1, 2])
    await task.append('text').catch(() => {})
    return [3]
  },
  async collect(_: unknown, task: TaskContext) {
    await task.append('one\n')
    void task.append(`${'two '.repeat(50_000)}\n`)
    return 'three\n'
  },
  ask: (_: unknown, task: TaskContext) => task.elicit(question('Who are you?')),
  async withdraw(_: unknown, task: TaskContext) {
    const givenUp = new AbortController()
    const asked = task.elicit(question('Who was it?'), { signal: givenUp.signal })
    givenUp.abort(new Error('It does not matter.'))
    const withdrawn = await asked.catch((error: Error) => error.message)
    return { withdrawn, answer: await task.elicit(question('Who are you?')) }
  },
  async hang() {
    for (;;) await sleep(60_000)
  },
} satisfies Record<string, Handler<never, unknown>>

/** What the executor suite runs. An executor of other processes gives them these, imported there. */
export const executorTools: readonly ExecutableTool[] = Object.entries(handlers).map(([name, handler]) => ({
  name,
  handler: handler as Handler<never, unknown>,
  ...(name === 'year' ? { input: dated } : {}),
}))
