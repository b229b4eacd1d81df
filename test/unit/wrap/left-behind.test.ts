import { afterEach, describe, expect, it } from 'vitest'
import { RefCache } from '../../../src/ref-cache.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import type { Store } from '../../../src/stores/store.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { type Serve, serverOf, Wired } from './wired.ts'

const JOB = '{"name":"job","inputSchema":{"type":"object"},"annotations":{"idempotentHint":true}}'
const OTHER = '{"name":"other","inputSchema":{"type":"object"}}'
const SETTINGS = { defaults: { asyncTimeout: 0 }, tools: {} }

const opened: Wired[] = []
afterEach(async () => {
  for (const wired of opened.splice(0)) await wired.close()
})

async function wrapper(store: Store, clock: FakeClock, serve: Serve): Promise<Wired> {
  const cache = new RefCache({ name: 'wired', store, clock })
  const wired = await Wired.open(serve, { cache, settings: SETTINGS })
  opened.push(wired)
  return wired
}

/** A wrapper that was lost in the middle of a call: its clock stands still. */
async function lostCall(): Promise<{ store: Store; refId: string }> {
  const store = memoryStore()
  const lost = await wrapper(
    store,
    new FakeClock(),
    serverOf(() => undefined, `[${JOB}]`),
  )
  const called = await lost.poll(1, 'job', {})
  return { store, refId: (called.structuredContent as { ref_id: string }).ref_id }
}

/** A server that answers calls, and lists its tools when it is told to. */
function slowToList(tools: string) {
  const waiting: Array<() => void> = []
  let isUp = false
  const ready = serverOf(() => '{"content":[{"type":"text","text":"in the end"}]}', `[${tools}]`)
  return {
    get wasAsked() {
      return waiting.length > 0
    },
    serve: ((line, say) => {
      const answer = () => ready(line, say)
      if (isUp || !line.includes('"tools/list"')) answer()
      else waiting.push(answer)
    }) satisfies Serve,
    list: () => {
      isUp = true
      for (const answer of waiting.splice(0)) answer()
    },
  }
}

describe('a task that an earlier wrapper left behind', () => {
  it('waits for a server that takes its time, and goes on then, although its client only polls', async () => {
    const { store, refId } = await lostCall()
    const clock = new FakeClock()
    const server = slowToList(JOB)
    const next = await wrapper(store, clock, server.serve)
    const polls = async (id: number) =>
      (await next.poll(id, 'get_cached_result', { ref_id: refId, wait_seconds: 0 })).content
    await polls(2)
    await expect.poll(() => server.wasAsked).toBe(true)
    await clock.advance('20m')
    expect(await next.cache.get(refId)).toMatchObject({ status: 'processing' })
    server.list()
    await expect
      .poll(async () => {
        await clock.advance('15s')
        return (await next.cache.get(refId)).status
      })
      .toBe('complete')
    expect(await polls(3)).toMatchObject([{ type: 'text', text: expect.stringContaining('in the end') }])
  })

  it('is given up soon when the server that is up has no such tool', async () => {
    const { store, refId } = await lostCall()
    const clock = new FakeClock()
    const server = slowToList(OTHER)
    const next = await wrapper(store, clock, server.serve)
    server.list()
    await next.ask(2, 'tools/list')
    await clock.advance('2m')
    expect(await next.cache.get(refId)).toMatchObject({ status: 'failed', errorCode: 'worker_lost' })
  })

  it('is given up after an hour in which its client did not come', async () => {
    const { store, refId } = await lostCall()
    const clock = new FakeClock()
    const next = await wrapper(store, clock, slowToList(JOB).serve)
    await clock.advance('59m')
    expect(await next.cache.get(refId)).toMatchObject({ status: 'processing' })
    await clock.advance('3m')
    expect(await next.cache.get(refId)).toMatchObject({ status: 'failed', canRetry: true })
  })

  it('goes on when its client calls, although the server never lists its tools', async () => {
    const { store, refId } = await lostCall()
    const clock = new FakeClock()
    const next = await wrapper(store, clock, slowToList(JOB).serve)
    await next.poll(2, 'job', {})
    await clock.advance('2m')
    expect(await next.cache.get(refId)).toMatchObject({ status: 'complete' })
  })
})
