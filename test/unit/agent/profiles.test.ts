import { describe, expect, it } from 'vitest'
import { ClientLimits, limitsOf } from '../../../src/agent/limits.ts'
import { inFieldsRead, present } from '../../../src/agent/present.ts'
import { PROFILES, type Profile } from '../../../src/agent/profiles.ts'
import { pollingTools } from '../../../src/agent/tools/polling.ts'
import type { ToolResult } from '../../../src/agent/wire.ts'
import type { Duration } from '../../../src/core/duration.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import type { CallResponse } from '../../../src/core/response.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'

const refId = `t:${'0'.repeat(32)}` as CallResponse['refId']
const base = { refId, isComplete: false, message: 'Next: get_cached_result' } as const
const complete = { ...base, status: 'complete', isAsync: false } as const
const ANSWERS: Record<string, CallResponse> = {
  preview: { ...complete, preview: ['a', '…(items 2 to 9)'] },
  table: { ...complete, columns: ['id', 'name'], rows: [[1, 'a'], '…(items 2 to 9)'] },
  page: { ...complete, preview: ['a'], page: 1, totalPages: 9 },
  handle: { ...base, status: 'processing', isAsync: true },
}

/** What the client's model is given: the other field is taken away. Of a client nobody knows, each field by itself. */
function read({ content, structuredContent }: ToolResult, reads: Profile['reads']): JsonObject[] {
  const inContent = JSON.parse(content[0]!.text) as JsonObject
  const structured = structuredContent ?? inContent
  if (reads === 'content' || reads === 'both') return [inContent]
  return reads === 'structured' ? [structured] : [inContent, structured]
}

describe.each(PROFILES)('with the other field taken away, $name', profile => {
  const limits = limitsOf(profile)

  it.each(Object.keys(ANSWERS))('is left the reference, what is shown and the next step of a %s', name => {
    const answer = ANSWERS[name]!
    for (const body of read(present(answer, { limits }), limits.reads)) {
      expect(body).toMatchObject({ ref_id: refId, status: answer.status, message: base.message })
      const { columns, rows, preview } = answer
      expect(body.preview).toEqual(preview)
      expect([body.columns, body.rows]).toEqual([columns, rows])
    }
  })

  it('and the age of an earlier result', () => {
    const value = { content: [{ type: 'text', text: 'old' }], structuredContent: { found: 'old' } }
    const cachedAt = new Date(Date.now() - 3_600_000)
    const earlier: CallResponse = {
      ...complete,
      isComplete: true,
      isToolResult: true,
      value,
      size: 1,
      cachedAt,
    }
    const { content, structuredContent, _meta } = present(earlier, { limits })
    expect(_meta).toMatchObject({ 'mcp-refcache/cached_at': cachedAt.toISOString() })
    expect(content.map(({ text }) => text).join()).toContain('60 minutes ago')
    expect(structuredContent).toEqual(
      limits.reads === 'structured'
        ? {
            ref_id: refId,
            status: 'complete',
            is_complete: true,
            is_async: false,
            cached_at: cachedAt.toISOString(),
            value: value.structuredContent,
          }
        : value.structuredContent,
    )
    const young = present({ ...earlier, cachedAt: new Date() }, { limits })
    expect(young.structuredContent).toEqual(value.structuredContent)
  })
})

it('without structured content an earlier result keeps its form, whatever is read', () => {
  const value = { content: [{ type: 'text', text: 'old' }] }
  const cachedAt = new Date(0)
  const limits = limitsOf(PROFILES.find(({ name }) => name === 'codex'))
  const earlier = { ...complete, isComplete: true, isToolResult: true, value, size: 1, cachedAt } as const
  expect(present(earlier, { limits })).not.toHaveProperty('structuredContent')
  expect(inFieldsRead(present(earlier, { limits }), 'content').content).toHaveLength(2)
})

describe('the patience of a client', () => {
  const clientOf = (patience: number) =>
    limitsOf({ name: 'p', reads: 'unknown', patience, source: '', date: '' })

  async function heldFor(asyncTimeout: Duration | undefined, patience: number): Promise<number> {
    const clock = new FakeClock()
    const cache = new RefCache({ name: 't', clock })
    const work = cache.cached(
      { name: 'work', ...(asyncTimeout ? { asyncTimeout } : {}) },
      () => new Promise(() => {}),
    )
    const begun = clock.now()
    let answered: number | undefined
    const answer = (work as (input: object, options: object) => Promise<CallResponse>)(
      {},
      { limits: clientOf(patience) },
    ).then(({ status }) => {
      answered = clock.now() - begun
      return status
    })
    for (let second = 0; second < 120 && answered === undefined; second++) await clock.advance('1s')
    expect(await answer).toBe('processing')
    return answered!
  }

  it.each<[Duration | undefined, number, number]>([
    ['1m', 60, 45_000],
    ['20s', 60, 20_000],
    ['20s', 12, 9_000],
    [undefined, 60, 45_000],
  ])(
    'holds a call with an asyncTimeout of %s for a client that waits %i s no longer',
    async (own, patience, held) => {
      const actual = await heldFor(own, patience)
      expect(actual).toBeGreaterThanOrEqual(held)
      expect(actual).toBeLessThanOrEqual(held + 1_000)
    },
  )

  it('bounds a poll too', async () => {
    const clock = new FakeClock()
    const cache = new RefCache({ name: 't', clock })
    const work = cache.cached({ name: 'work', asyncTimeout: 0 }, () => new Promise(() => {}))
    const { refId: ref_id } = await work({})
    const [poll] = pollingTools(cache, { maxWait: '50s', defaultWait: '50s' })
    let answered = false
    const answer = poll!.handle({ ref_id }, { limits: clientOf(20) }).finally(() => {
      answered = true
    })
    await clock.advance('14s')
    expect(answered).toBe(false)
    await clock.advance('2s')
    expect((await answer).structuredContent).toMatchObject({ status: 'processing' })
  })
})

it('a text of more lines than a client takes does not pass, however short they are', () => {
  const limits = new ClientLimits().of({ name: 'opencode' })
  expect(limits.inline).toMatchObject({ lines: 2_000, characters: 50_000 })
})
