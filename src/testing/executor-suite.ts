import assert from 'node:assert/strict'
import type { InputRequest } from '../core/question.ts'
import type { CallResponse } from '../core/response.ts'
import { ExecutorBench, type OpenedExecutor, WHO } from './executor-bench.ts'
import { REPORTS } from './executor-tools.ts'
import { until } from './store-drafts.ts'
import type { TestFramework } from './store-setup.ts'

/** The executor that the suite is run on, and how to open it. */
export interface ExecutorSetup {
  readonly name: string
  /** Whether what runs handlers can be killed while this process lives on. */
  readonly canKill: boolean
  open(): OpenedExecutor | Promise<OpenedExecutor>
}

interface ExecutorCase {
  readonly title: string
  readonly needs?: 'canKill'
  run(bench: ExecutorBench): Promise<void>
}

const MB = 1024 * 1024

const CASES: readonly ExecutorCase[] = [
  {
    title: 'gives the result, and tells the handler of its task',
    async run(bench) {
      assert.deepEqual(await bench.value('echo', { a: [1, 'ö', null, { b: true }] }), {
        a: [1, 'ö', null, { b: true }],
      })
      const { refId, ...about } = (await bench.value('about')) as { refId: string }
      assert.deepEqual(about, { attempt: 1, actor: WHO })
      assert.match(refId, /^cache:[0-9a-f]{32}$/)
    },
  },
  {
    title: "gives the handler what the tool's schema makes of the input, and refuses what that refuses",
    async run(bench) {
      assert.equal(await bench.value('year', { at: '2030-06-01T00:00:00Z' }), 2030)
      await assert.rejects(bench.call('year', { at: 'soon' }), {
        code: 'invalid_argument',
        message: /is no date/,
      })
    },
  },
  {
    title: 'puts values in the places of references in the input',
    async run(bench) {
      const rows = Array.from({ length: 5_000 }, (_, n) => ({ n, text: `row ${n}` }))
      const { refId } = await bench.cache.set('rows', rows)
      assert.deepEqual(await bench.value('echo', { rows: refId, again: [refId] }), { rows, again: [rows] })
    },
  },
  {
    title: 'hands an error on with its code and its cause',
    async run(bench) {
      const error = await bench.call('fail').then(
        () => assert.fail(),
        thrown => thrown,
      )
      assert.ok(error instanceof Error)
      assert.equal(error.message, 'the disk failed')
      assert.equal((error as Error & { code?: string }).code, 'EDISK')
      assert.equal((error.cause as Error).message, 'a cable')
      await assert.rejects(bench.call('refuse'), {
        code: 'invalid_argument',
        message: 'Nothing is ever right.',
      })
      await assert.rejects(bench.call('big'), { code: 'not_serializable' })
    },
  },
  {
    title: 'refuses a tool that it lacks',
    async run(bench) {
      await assert.rejects(bench.call('no such tool'), { code: 'invalid_argument', message: /no such tool/ })
    },
  },
  {
    title: 'hands reports of progress on in their order, throttled, and the last one always',
    async run(bench) {
      const reports: Array<{ current: number; at: number }> = []
      bench.cache.on('task:progress', ({ current = -1 }) => reports.push({ current, at: performance.now() }))
      const { refId } = await bench.call('count')
      const numbers = reports.map(({ current }) => current)
      assert.deepEqual(
        numbers,
        [...numbers].sort((a, b) => a - b),
      )
      const elapsed = (reports.at(-1)?.at ?? 0) - (reports[0]?.at ?? 0)
      assert.ok(
        numbers.length > 1 && numbers.length <= elapsed / 100 + 2,
        `${numbers.length} in ${elapsed} ms`,
      )
      const { progress } = await bench.cache.inspect(refId)
      assert.deepEqual(progress, { current: REPORTS, total: REPORTS, percentage: 100 })
    },
  },
  {
    title: 'lets the handler hear an abort',
    async run(bench) {
      const refId = await bench.begin('obey')
      assert.equal((await bench.cache.cancelTask(refId, { actor: WHO })).status, 'cancelled')
      await until(() => bench.running === 0, 'the end of the handler')
    },
  },
  {
    title:
      'keeps nobody waiting for a handler that ignores its abort, and counts it as running until it ends',
    async run(bench) {
      const refId = await bench.begin('ignore')
      assert.equal((await bench.cache.cancelTask(refId, { actor: WHO })).status, 'cancelled')
      assert.deepEqual(await bench.value('echo', { still: 'here' }), { still: 'here' })
      await until(() => bench.running === 0, 'the end of the handler')
      assert.equal((await bench.ended(refId)).status, 'cancelled')
    },
  },
  {
    title: 'ends work at its hard timeout, heard or not',
    async run(bench) {
      for (const name of ['obey', 'ignore']) {
        await assert.rejects(bench.call(name, {}, { hardTimeout: 50 }), { code: 'hard_timeout' })
      }
      await until(() => bench.running === 0, 'the end of the handlers')
    },
  },
  {
    title: 'asks, and gives the handler the answer',
    async run(bench) {
      const refId = await bench.begin('ask')
      const [key] = Object.keys(questionsIn(await bench.when(refId, isAsking)))
      const answer = { action: 'accept', content: { name: 'Ada' } }
      await bench.cache.answerTask(refId, { [String(key)]: answer }, { actor: WHO })
      await bench.ended(refId)
      assert.deepEqual(await bench.cache.resolve(refId, { actor: WHO }), answer)
    },
  },
  {
    title: 'withdraws a question that the handler gives up',
    async run(bench) {
      const refId = await bench.begin('withdraw')
      const questions = questionsIn(
        await bench.when(refId, response =>
          Object.values(questionsIn(response)).some(({ params }) => params.message === 'Who are you?'),
        ),
      )
      assert.equal(Object.keys(questions).length, 1)
      const answers = Object.fromEntries(Object.keys(questions).map(key => [key, { action: 'decline' }]))
      await bench.cache.answerTask(refId, answers, { actor: WHO })
      await bench.ended(refId)
      assert.deepEqual(await bench.cache.resolve(refId, { actor: WHO }), {
        withdrawn: 'It does not matter.',
        answer: { action: 'decline' },
      })
    },
  },
  {
    title: 'hands on what the handler appends, in its order, and what it returns as the last piece',
    async run(bench) {
      assert.deepEqual(await bench.value('append'), [...Array(2_001).keys()])
      assert.equal(await bench.value('collect'), `one\n${'two '.repeat(50_000)}\nthree\n`)
    },
  },
  {
    title: 'fails a task whose handler appends items and text, and keeps what came before',
    async run(bench) {
      const { refId } = await bench.call('mix', {}, { asyncTimeout: 0 })
      const answer = await bench.cache.get(refId, { actor: WHO, wait: '30s' })
      assert.equal(answer.status, 'failed')
      assert.equal(answer.errorCode, 'invalid_argument')
      assert.deepEqual(await bench.cache.resolve(refId, { actor: WHO, partial: true }), [1, 2])
    },
  },
  {
    title: 'gives a result of 5 MB, to the last byte',
    async run(bench) {
      const { refId } = await bench.call('large', { bytes: 5 * MB })
      assert.equal((await bench.cache.inspect(refId)).valueBytes, 5 * MB + '{"text":""}'.length)
      const { text } = (await bench.cache.resolve(refId, { actor: WHO })) as { text: string }
      assert.ok(text === 'ä'.repeat((5 * MB) / 2))
    },
  },
  {
    title: 'says worker_lost when what runs the handler is killed, and goes on with other work',
    needs: 'canKill',
    async run(bench) {
      const refId = await bench.begin('hang')
      await bench.opened.kill?.()
      const ended = await bench.ended(refId)
      assert.ok(ended.status === 'failed')
      assert.deepEqual([ended.errorCode, ended.canRetry], ['worker_lost', true])
      assert.deepEqual(await bench.value('echo', { still: 'here' }), { still: 'here' })
    },
  },
  {
    title: 'runs work again that was killed, where the tool is idempotent',
    needs: 'canKill',
    async run(bench) {
      const refId = await bench.begin('ignore', { idempotent: true, retryDelay: 0 })
      await bench.opened.kill?.()
      await bench.ended(refId)
      assert.equal(await bench.cache.resolve(refId, { actor: WHO }), 'too late')
      assert.equal((await bench.cache.inspect(refId)).attempt, 2)
    },
  },
]

function questionsIn(response: CallResponse): Readonly<Record<string, InputRequest>> {
  return ('inputRequests' in response && response.inputRequests) || {}
}

function isAsking(response: CallResponse): boolean {
  return Object.keys(questionsIn(response)).length > 0
}

/**
 * Defines the tests that every executor passes: the contract in `Executor`, in executable form. They take real time.
 *
 * @example
 * import { describe, it } from 'vitest'
 * executorSuite({ describe, it }, {
 *   name: 'myExecutor',
 *   canKill: false,
 *   open: () => ({ executor: myExecutor(executorTools) }),
 * })
 */
export function executorSuite({ describe, it }: TestFramework, setup: ExecutorSetup): void {
  describe(`executor contract: ${setup.name}`, () => {
    for (const { title, needs, run } of CASES) {
      const test = () => runCase(setup, run)
      if (!needs || setup[needs]) it(title, test)
      else it.skip(`${title} (not for ${setup.name}: its handlers end with this process)`, test)
    }
  })
}

async function runCase(setup: ExecutorSetup, run: ExecutorCase['run']): Promise<void> {
  const opened = await setup.open()
  const bench = new ExecutorBench(opened)
  try {
    await run(bench)
  } finally {
    await bench.cache.close()
    await opened.teardown?.()
  }
}
