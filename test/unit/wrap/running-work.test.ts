import { afterEach, expect, it } from 'vitest'
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
