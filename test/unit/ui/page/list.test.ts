import { describe, expect, it } from 'vitest'
import type { Row } from '../../../../src/ui/api.ts'
import { EMPTY_LIST, withChanges, withFilter, withPage } from '../../../../src/ui/page/state/list.ts'

const row = (second: number, more: Partial<Row> = {}): Row => ({
  ref: `files:${second}`,
  cache: 'files',
  status: 'complete',
  createdAt: new Date(second * 1_000).toISOString(),
  attempt: 1,
  may: [],
  ...more,
})
const refs = ({ rows }: { rows: readonly Row[] }) => rows.map(({ ref }) => ref)
const loaded = (nextCursor?: string) =>
  withPage(EMPTY_LIST, { entries: [row(30), row(20)], ...(nextCursor ? { nextCursor } : {}) }, true)

describe('pages', () => {
  it('follow each other, and an entry that moved from one to the next stands there once', () => {
    const list = withPage(loaded('2'), { entries: [row(20), row(10)] }, false)
    expect(refs(list)).toEqual(['files:30', 'files:20', 'files:10'])
    expect(list.nextCursor).toBeUndefined()
  })

  it('leave out what runs: that is shown above', () => {
    const entries = [row(30, { status: 'processing' }), row(20, { status: 'pending' }), row(10)]
    expect(refs(withPage(EMPTY_LIST, { entries }, true))).toEqual(['files:10'])
  })

  it('say that the server had none to list, until one comes', () => {
    const bare = withPage(EMPTY_LIST, { entries: [] }, true)
    expect(bare.isBare).toBe(true)
    expect(withChanges(bare, [row(10)], []).isBare).toBeUndefined()
    // An empty page in between is not all that there is.
    expect(withPage(EMPTY_LIST, { entries: [], nextCursor: '2' }, true).isBare).toBeUndefined()
    expect(withChanges(loaded(), [], ['files:30', 'files:20']).isBare).toBeUndefined()
  })

  it('begin anew with another filter; what is known to fit stays until they are there', () => {
    const list = withFilter(loaded('2'), { find: 'FILES:3' })
    expect(list).toMatchObject({ isLoaded: false, generation: 1 })
    expect(refs(list)).toEqual(['files:30'])
    expect(list.nextCursor).toBeUndefined()
    expect(refs(withFilter(list, { tool: 'crawl' }))).toEqual([])
  })
})

describe('changes', () => {
  it('put a new entry at its place', () => {
    expect(refs(withChanges(loaded(), [row(25), row(40), row(10)], []))).toEqual([
      'files:40',
      'files:30',
      'files:25',
      'files:20',
      'files:10',
    ])
  })

  it('leave what is older than all that is loaded to its own page', () => {
    expect(refs(withChanges(loaded('2'), [row(10)], []))).toEqual(['files:30', 'files:20'])
  })

  it('take out what was deleted, runs again, or fits the filter no more', () => {
    expect(refs(withChanges(loaded(), [], ['files:30']))).toEqual(['files:20'])
    expect(refs(withChanges(loaded(), [row(30, { status: 'processing' })], []))).toEqual(['files:20'])
    const filtered = { ...loaded(), filter: { status: 'complete' as const } }
    expect(refs(withChanges(filtered, [row(30, { status: 'failed' })], []))).toEqual(['files:20'])
    expect(refs(withChanges(filtered, [row(40, { status: 'failed' })], []))).toEqual(['files:30', 'files:20'])
  })

  it('are nothing before the first page, which has them', () => {
    expect(withChanges(EMPTY_LIST, [row(30)], [])).toBe(EMPTY_LIST)
  })

  it('that say an entry was changed and deleted leave it out', () => {
    expect(refs(withChanges(loaded(), [row(50)], ['files:50']))).toEqual(['files:30', 'files:20'])
  })
})
