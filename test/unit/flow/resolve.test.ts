import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { actor } from '../../../src/access/actor.ts'
import type { AuditEvent } from '../../../src/access/audit.ts'
import { Permission } from '../../../src/access/permission.ts'
import { AccessPolicy } from '../../../src/access/policy.ts'
import {
  InvalidArgument,
  PermissionDenied,
  TaskCancelled,
  TaskFailed,
  TaskNotReady,
} from '../../../src/core/errors.ts'
import { deferred, scene } from './scene.ts'

/** A task whose handler ends when the test says. */
async function working(options: object = {}) {
  const made = scene()
  const work = deferred<unknown>()
  const tool = made.cache.cached({ name: 'work', asyncTimeout: 0, ...options }, () => work.promise)
  const { refId } = await tool({})
  await made.clock.advance(0)
  return { ...made, work, refId }
}

describe('resolve', () => {
  it('says that a task is not ready, and what to do', async () => {
    const { cache, refId } = await working()
    await expect(cache.resolve(refId)).rejects.toThrow(TaskNotReady)
    await expect(cache.resolve(refId)).rejects.toThrow(
      'The task behind this reference is still running. Wait for it, then use its result.',
    )
  })

  it('waits as long as it is told, and gives the value that came meanwhile', async () => {
    const { cache, clock, work, refId } = await working()
    const [patient, impatient] = [cache.resolve(refId, { wait: '10s' }), cache.resolve(refId, { wait: '1s' })]
    const refused = expect(impatient).rejects.toThrow(TaskNotReady)
    await clock.advance('2s')
    await refused
    work.resolve({ n: 1 })
    await clock.advance(0)
    expect(await patient).toEqual({ n: 1 })
  })

  it('gives a value that was waited for, however short it is kept', async () => {
    const { cache, clock, work, refId } = await working({ ttl: 1 })
    const value = cache.resolve(refId, { wait: '10s' })
    await clock.advance('1s')
    work.resolve('short-lived')
    await clock.advance(0)
    expect(await value).toBe('short-lived')
    await clock.advance('10m')
    await expect(cache.resolve(refId)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('ends its wait with the reason of its signal, and the task goes on', async () => {
    const { cache, clock, work, refId } = await working()
    const giveUp = new AbortController()
    const value = cache.resolve(refId, { wait: '1h', signal: giveUp.signal })
    const refused = expect(value).rejects.toThrow('enough')
    giveUp.abort(new Error('enough'))
    await clock.advance(0)
    await refused
    work.resolve(1)
    await clock.advance(0)
    expect(await cache.resolve(refId)).toBe(1)
  })

  it('tells a task that failed from one that was cancelled', async () => {
    const [failing, cancelled] = [await working(), await working()]
    failing.work.reject(new Error('no luck'))
    await failing.clock.advance(0)
    await expect(failing.cache.resolve(failing.refId)).rejects.toThrow(TaskFailed)
    await cancelled.cache.cancelTask(cancelled.refId)
    await expect(cancelled.cache.resolve(cancelled.refId)).rejects.toThrow(TaskCancelled)
    await expect(cancelled.cache.resolve(cancelled.refId)).rejects.toThrow(
      'The task behind this reference was cancelled.',
    )
  })

  it('checks with a schema, and says which value it refuses', async () => {
    const { cache } = scene()
    const { refId } = await cache.set('n', { n: '7' })
    const schema = z.object({ n: z.coerce.number() })
    expect(await cache.resolve(refId, { schema })).toEqual({ n: 7 })
    const refused = cache.resolve(refId, { schema: z.string() })
    await expect(refused).rejects.toThrow(InvalidArgument)
    await expect(refused).rejects.toThrow(/^The value of this reference/)
  })

  it('refuses options that there are not, and times that are none', async () => {
    const { cache } = scene()
    const { refId } = await cache.set('n', 1)
    await expect(cache.resolve(refId, { waits: 5 } as never)).rejects.toThrow(/`resolve`.*waits/)
    await expect(cache.resolve(refId, { wait: 'soon' as never })).rejects.toThrow(/wait/)
  })

  it('is in the audit once, allowed or denied, and by the right that was asked for', async () => {
    const heard: AuditEvent[] = []
    const { cache } = scene({ audit: { write: event => heard.push(event) } })
    const { refId } = await cache.set('secret', 1, { policy: AccessPolicy.executeOnly })
    heard.length = 0
    const asked = { actor: actor.agent({ id: 'bob' }) }
    await expect(cache.resolve(refId, asked)).rejects.toThrow(PermissionDenied)
    expect(await cache.resolve(refId, { ...asked, permission: Permission.EXECUTE })).toBe(1)
    expect(heard.map(event => [event.action, event.verdict, event.permission, event.refId])).toEqual([
      ['resolve', 'denied', Permission.READ, refId],
      ['resolve', 'allowed', Permission.EXECUTE, refId],
    ])
  })

  it('authorizes again what it waited for: guards that the task turned up hold for whoever waited', async () => {
    const { cache, clock } = scene()
    const bob = actor.agent({ id: 'bob' })
    const secret = await cache.set('secret', 'hidden', { policy: AccessPolicy.executeOnly })
    const gate = deferred<void>()
    const slow = cache.cached({ name: 'slow', asyncTimeout: 0 }, async () => {
      await gate.promise
      return secret.refId
    })
    const first = await slow({}, { actor: bob })
    const use = cache.cached(
      { name: 'use', asyncTimeout: 0, resolveRefs: 'deep' },
      (input: { of: unknown }) => [input.of],
    )
    const used = await use({ of: first.refId }, { actor: bob })
    const value = cache.resolve(used.refId, { actor: bob, wait: '1h' })
    const refused = expect(value).rejects.toThrow(PermissionDenied)
    gate.resolve()
    await clock.advance('10s')
    await refused
    expect(await cache.resolve(used.refId, { actor: 'user' })).toEqual(['hidden'])
  })
})
