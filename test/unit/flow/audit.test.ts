import { describe, expect, it } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import type { AuditEvent } from '../../../src/access/audit.ts'
import { AccessPolicy } from '../../../src/access/policy.ts'
import { scene } from './scene.ts'

function audited() {
  const events: AuditEvent[] = []
  const made = scene({ audit: { write: event => events.push(event) } })
  return {
    ...made,
    events,
    said: () => events.splice(0).map(({ action, verdict, rule }) => [action, verdict, rule]),
  }
}

const bob = actor.agent({ id: 'bob' })

describe('the audit', () => {
  it('hears of each answer once, by the rule that decided', async () => {
    const { cache, said, events } = audited()
    const { refId } = await cache.set('v', 1, { policy: AccessPolicy.executeOnly, namespace: 'public' })
    await cache.get(refId, { actor: 'user' })
    await cache.get(refId, { actor: bob }).catch(() => {})
    await cache.taskStatus(refId, { actor: bob })
    await cache.delete(refId, { actor: bob }).catch(() => {})
    await cache.delete(refId, { actor: 'user' })
    expect(events[1]).toMatchObject({
      actor: bob,
      refId,
      namespace: 'public',
      permission: 1,
      at: expect.any(Date),
    })
    expect(said()).toEqual([
      ['get', 'allowed', 'role'],
      ['get', 'denied', 'role'],
      ['status', 'allowed', 'role'],
      ['delete', 'denied', 'role'],
      ['delete', 'allowed', 'role'],
    ])
  })

  it('tells a call that was given its value from one that was not, and of each use once', async () => {
    const { cache, said } = audited()
    const { refId } = await cache.set('table', [1, 2], { policy: AccessPolicy.executeOnly })
    const max = cache.cached({ name: 'max' }, ({ rows }: { rows: number[] }) => Math.max(...rows))
    await max({ rows: refId as never }, { actor: bob })
    await max({ rows: refId as never }, { actor: 'user' })
    expect(said()).toEqual([
      ['use', 'allowed', 'role'],
      ['call', 'denied', 'derived'],
      ['use', 'allowed', 'role'],
      ['call', 'allowed', 'role'],
    ])
  })

  it('hears of guesses, by what was asked for, in bounds', async () => {
    const { cache, events } = audited()
    const guess = `t:${'0'.repeat(32)}`
    for (const refId of [guess, 'x'.repeat(5_000_000)]) {
      await cache.get(refId).catch(() => {})
      await cache.taskStatus(refId).catch(() => {})
      await cache.cancelTask(refId).catch(() => {})
    }
    expect(events.map(({ verdict, rule }) => `${verdict} ${rule}`)).toEqual(Array(6).fill('hidden unknown'))
    expect(events.slice(0, 3).map(({ refId }) => refId)).toEqual(Array(3).fill(guess))
    expect(JSON.stringify(events).length).toBeLessThan(3_000)
  })

  it('hears of refusals before anything is made', async () => {
    const { cache, said } = audited()
    const tool = cache.cached({ name: 'x', namespace: 'user:alice' }, () => 1)
    const mine = cache.cached({ name: 'y', policy: { denied: ['agent:bob'] } }, () => 1)
    await tool({}, { actor: bob }).catch(() => {})
    await mine({}, { actor: bob }).catch(() => {})
    await cache.set('v', 1, { namespace: 'user:alice', actor: bob }).catch(() => {})
    await cache.set('v', 1, { actor: bob }).catch(() => {})
    expect(said()).toEqual([
      ['call', 'denied', 'namespace'],
      ['call', 'denied', 'denied'],
      ['set', 'denied', 'namespace'],
      ['set', 'denied', 'role'],
    ])
  })

  it('has no value, input or word in it, and harms nothing when it fails', async () => {
    const { cache, events } = audited()
    const { refId } = await cache.set('v', 'secret')
    const tool = cache.cached({ name: 'x' }, (_: { v: string; w: string }) => {
      throw new Error('secret')
    })
    await tool({ v: refId, w: 'secret' }, { actor: 'user' }).catch(() => {})
    expect(events.length).toBeGreaterThan(0)
    expect(JSON.stringify(events)).not.toContain('secret')
    const broken = scene({
      audit: {
        write() {
          throw new Error('disk full')
        },
      },
    })
    const { refId: other } = await broken.cache.set('v', 1)
    expect(await broken.cache.get(other)).toMatchObject({ value: 1 })
  })
})
