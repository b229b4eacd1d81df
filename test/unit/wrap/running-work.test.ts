import { afterEach, expect, it } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { turn } from './chatty.ts'
import { serverOf, Wired } from './wired.ts'

let wired: Wired
afterEach(() => wired.close())

/** A session whose call has its handle, and whose server never answers it. */
async function withRunningCall() {
  const store = memoryStore()
  const lines: string[] = []
  const serve = serverOf(line => {
    lines.push(line)
    return undefined
  }, '[{"name":"slow","inputSchema":{"type":"object"}}]')
  wired = await Wired.open(serve, { store, settings: { defaults: { asyncTimeout: 0 }, tools: {} } })
  await wired.ask(1, 'initialize')
  await wired.ask(2, 'tools/call', '{"name":"slow","arguments":{}}')
  while (!lines.some(line => line.includes('"method":"tools/call"'))) await turn()
  const [entry] = await store.list({ cacheName: 'wired', limit: 10 })
  if (entry?.status !== 'processing') throw new Error('The call has no running entry.')
  return { store, entry }
}

it('a session whose task another process took over has no work of it any more', async () => {
  const { store, entry } = await withRunningCall()
  expect(wired.session.hasWork).toBe(true)
  const lease = { ...entry.lease, owner: 'another/1' }
  expect(await store.update({ ...entry, lease, version: entry.version + 1 }, entry.version)).toBe(true)
  while (wired.session.hasWork) await turn()
})

it('a session whose task was deleted has no work of it any more', async () => {
  const { store, entry } = await withRunningCall()
  expect(await store.delete(entry.refId)).toBe(true)
  while (wired.session.hasWork) await turn()
})

it('a session whose task waits for its turn has work, although its server has not heard of it', async () => {
  const cache = new RefCache({
    name: 'wired',
    maxConcurrentTasks: 1,
  })
  const other = cache.cached(
    { name: 'other', namespace: 'user:o', asyncTimeout: 0 },
    (_: object, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  )
  const { refId } = await other({}, { actor: actor.user({ id: 'o' }) })
  const lines: string[] = []
  const serve = serverOf(line => {
    lines.push(line)
    return line.includes('"method":"tools/call"') ? '{"content":[]}' : undefined
  }, '[{"name":"slow","inputSchema":{"type":"object"}}]')
  wired = await Wired.open(serve, { cache, settings: { defaults: { asyncTimeout: 0 }, tools: {} } })
  await wired.ask(1, 'initialize')
  expect(wired.session.hasWork).toBe(false)
  await wired.ask(2, 'tools/call', '{"name":"slow","arguments":{}}')
  expect(lines.filter(line => line.includes('"method":"tools/call"'))).toEqual([])
  expect(wired.session.hasWork).toBe(true)

  await cache.cancelTask(refId, { actor: actor.user({ id: 'o' }) })
  while (wired.session.hasWork) await turn()
  expect(lines.filter(line => line.includes('"method":"tools/call"'))).toHaveLength(1)
  await cache.close()
})
