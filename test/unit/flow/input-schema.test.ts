import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { InvalidArgument } from '../../../src/core/errors.ts'
import type { StandardSchema } from '../../../src/core/standard-schema.ts'
import { scene } from './scene.ts'

const shape = z.object({
  at: z.coerce.date(),
  link: z.string().transform(text => new URL(text)),
  count: z.coerce.bigint(),
  tags: z.array(z.string()).transform(list => new Set(list)),
  limit: z.number().default(10),
})
const given = { at: '2030-01-02T03:04:05Z', link: 'https://a.example/', count: '12', tags: ['a', 'a'] }

describe('an input schema', () => {
  it('gives the handler a Date, URL, bigint or Set, with or without a reference in the input', async () => {
    const { cache } = scene()
    const seen: unknown[] = []
    const tool = cache.cached({ name: 'x', input: shape }, input => {
      seen.push(input)
      return 'done'
    })
    const { refId } = await cache.set('tags', ['a', 'a'])
    await tool(given, { actor: 'user' })
    await tool({ ...given, tags: refId as unknown as string[] }, { actor: 'user' })
    const made = {
      at: new Date('2030-01-02T03:04:05Z'),
      link: new URL('https://a.example/'),
      count: 12n,
      tags: new Set(['a']),
      limit: 10,
    }
    expect(seen).toEqual([made, made])
    await cache.close()
  })

  it('runs again for each attempt, on the input as the caller gave it', async () => {
    const { cache, clock } = scene()
    const seen: Date[] = []
    const tool = cache.cached(
      { name: 'x', input: z.object({ at: z.coerce.date() }), maxRetries: 1 },
      ({ at }) => {
        seen.push(at)
        at.setFullYear(1999)
        if (seen.length === 1) throw new Error('once more')
        return at
      },
    )
    const call = tool({ at: new Date('2030-01-01T00:00:00Z') }, { actor: 'user' })
    await clock.advance('10s')
    expect((await call).status).toBe('complete')
    expect(seen).toHaveLength(2)
    expect(seen[1]).not.toBe(seen[0])
    await cache.close()
  })

  it('makes inputs the same call that it maps to the same plain JSON, and no others', async () => {
    const { cache } = scene()
    let runs = 0
    const plain = cache.cached(
      { name: 'p', input: z.object({ limit: z.coerce.number().default(10) }) },
      () => ++runs,
    )
    await plain({}, { actor: 'user' })
    await plain({ limit: '10' }, { actor: 'user' })
    expect(runs).toBe(1)
    class Query {
      readonly kind = 'query'
      readonly #text: string
      constructor(text: string) {
        this.#text = text
      }
      get text() {
        return this.#text
      }
    }
    const odd = cache.cached(
      { name: 'q', input: z.object({ q: z.string().transform(text => new Query(text)) }) },
      ({ q }) => q.text,
    )
    expect(await odd({ q: 'a' }, { actor: 'user' })).toMatchObject({ value: 'a' })
    expect(await odd({ q: 'b' }, { actor: 'user' })).toMatchObject({ value: 'b' })
    await cache.close()
  })

  it.each([
    [
      'throws null',
      () => {
        throw null
      },
    ],
    [
      'rejects with an odd object',
      async () => {
        throw Object.create(null)
      },
    ],
    ['gives nothing', () => undefined],
    ['gives odd issues', () => ({ issues: [null] })],
  ])('that %s is a coded error', async (_, validate) => {
    const { cache } = scene()
    const input = {
      '~standard': { version: 1, vendor: 'odd', validate },
    } as unknown as StandardSchema<object>
    const tool = cache.cached({ name: 'x', input }, () => 1)
    await expect(tool({}, { actor: 'user' })).rejects.toThrow(InvalidArgument)
    await cache.close()
  })

  it('says where an input has no form in JSON', async () => {
    const { cache } = scene()
    const tool = cache.cached<{ tags: unknown }>({ name: 'x' }, () => 1)
    await expect(tool({ tags: [new Set()] }, { actor: 'user' })).rejects.toThrow('input.tags[0] is a Set')
    await cache.close()
  })
})
