import { execFile } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RefCache } from '../../src/ref-cache.ts'
import { encryptedStore, keysFromEnv } from '../../src/stores/encrypted.ts'
import type { Store } from '../../src/stores/store.ts'
import { program } from './fixtures/programs.ts'
import { MEDIA, type Medium } from './media.ts'

const CHILD = program('encrypted-child')

/** What must be found nowhere, each in a place of its own. */
const MARKS = Object.fromEntries(
  ['value', 'input', 'progress', 'error', 'label', 'result'].map(name => [name, `${name}-${randomUUID()}`]),
) as Record<'value' | 'input' | 'progress' | 'error' | 'label' | 'result', string>

const PATIENCE = { timeout: 60_000 }

const KEY = randomBytes(32).toString('base64')
const OTHER_KEY = randomBytes(32).toString('base64')

describe.each(MEDIA)('%s', (_, openMedium) => {
  let medium: Medium
  beforeEach(async () => {
    medium = await openMedium()
  })
  afterEach(() => medium.remove())

  const encrypted = () => {
    return encryptedStore(medium.open(), { keys: keysFromEnv('KEYS', { KEYS: `2030-01:${KEY}` }) })
  }

  it('holds every one of the marks in clear without encryption: the search finds what is there', async () => {
    const found = await marksFound(medium, medium.open())
    expect(found.sort()).toEqual(Object.keys(MARKS).sort())
  })

  it('holds none of them with it, neither while the task runs nor afterwards', async () => {
    expect(await marksFound(medium, encrypted())).toEqual([])
  })

  it('is shared by two processes that have the key', async () => {
    const cache = new RefCache({ name: 'files', store: encrypted() })
    const echo = cache.cached({ name: 'echo', memoize: true }, async ({ topic }: { topic: string }) => topic)
    const { refId } = await cache.set(MARKS.label, MARKS.value)
    const call = await echo({ topic: MARKS.input })
    const { outcome } = await child(medium, `2030-01:${KEY}`, refId, MARKS.input)
    expect(outcome).toMatchObject({ value: MARKS.value, ran: false, call: { refId: call.refId } })
    const own = await child(medium, `2030-01:${KEY}`, refId, 'another topic')
    expect(own.outcome).toMatchObject({ ran: true })
    expect(await cache.resolve((own.outcome.call as { refId: string }).refId)).toBe(
      'the child ran another topic',
    )
    await cache.close()
  })

  it('is closed to a process with another key, which is told why, and shown no key and no word', async () => {
    const cache = new RefCache({ name: 'files', store: encrypted() })
    const { refId } = await cache.set(MARKS.label, MARKS.value)
    await cache.close()
    const strangers = [`2030-02:${OTHER_KEY}`, `2030-01:${OTHER_KEY}`]
    for (const keys of strangers) {
      const { outcome, stdout, stderr } = await child(medium, keys, refId, 'a topic')
      expect(outcome).toMatchObject({ error: { code: 'store_unavailable' }, ran: true })
      expect(stderr).toContain("key '2030-01'")
      for (const secret of [KEY, OTHER_KEY, MARKS.value, MARKS.label]) {
        expect(stdout + stderr).not.toContain(secret)
      }
    }
    const { outcome } = await child(medium, `2030-02:${OTHER_KEY},2030-01:${KEY}`, refId, 'a topic')
    expect(outcome).toMatchObject({ value: MARKS.value })
  })
})

/** Lets a value be set, a task report and fail, and another one succeed; says which marks the medium ever showed. */
async function marksFound(medium: Medium, store: Store): Promise<string[]> {
  const cache = new RefCache({ name: 'files', store })
  let end = () => {}
  const ended = new Promise<void>(resolve => {
    end = resolve
  })
  const fail = cache.cached(
    { name: 'fail', asyncTimeout: 0, maxRetries: 1, retryDelay: 0, memoize: true },
    async (_: { topic: string }, task) => {
      task.progress(1, 2, MARKS.progress)
      await ended
      throw new Error(MARKS.error)
    },
  )
  const succeed = cache.cached(
    { name: 'succeed', memoize: true },
    async (_: { topic: string }) => MARKS.result,
  )
  await cache.set(MARKS.label, { text: MARKS.value })
  await succeed({ topic: MARKS.input })
  const { refId } = await fail({ topic: MARKS.input })
  await expect.poll(() => store.get(refId), PATIENCE).toMatchObject({ progress: { message: MARKS.progress } })
  const bytes = await medium.bytes()
  end()
  await expect
    .poll(() => store.get(refId))
    .toMatchObject({ status: 'failed', error: { message: MARKS.error } })
  bytes.push(...(await medium.bytes()))
  await cache.close()
  bytes.push(...(await medium.bytes()))
  return Object.entries(MARKS)
    .filter(([, mark]) => bytes.some(some => some.includes(mark)))
    .map(([name]) => name)
}

async function child(medium: Medium, keys: string, refId: string, topic: string) {
  const env = { ...process.env, MCP_REFCACHE_KEYS: keys }
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [CHILD, medium.where, refId, topic],
    { env },
  )
  return { outcome: JSON.parse(stdout) as Record<string, unknown>, stdout, stderr }
}
