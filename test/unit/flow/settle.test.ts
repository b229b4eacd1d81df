import { expect, it } from 'vitest'
import { namespaceRules } from '../../../src/access/namespace.ts'
import { scene } from './scene.ts'

it('work whose result cannot be kept fails with that, and is not begun again', async () => {
  let fails = false
  let runs = 0
  const rules = namespaceRules()
  const { cache, clock } = scene({
    namespaceResolver: {
      resolve(namespace) {
        if (fails) throw new Error('the directory of namespaces is away')
        return rules.resolve(namespace)
      },
    },
  })
  const tool = cache.cached({ name: 'work', asyncTimeout: 0, idempotent: true }, () => {
    runs++
    fails = true
    return 'done'
  })
  const { refId } = await tool({})
  await clock.advance(1_000)
  fails = false
  await clock.advance(300_000)
  expect(await cache.get(refId)).toMatchObject({
    status: 'failed',
    error: expect.stringContaining('directory'),
  })
  expect(runs).toBe(1)
})
