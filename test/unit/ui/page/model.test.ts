import { expect, it } from 'vitest'
import type { Row } from '../../../../src/ui/api.ts'
import { EMPTY_MODEL, LINGER_MS, type Model, reduce } from '../../../../src/ui/page/state/model.ts'

const row = (ref: string, status: Row['status'] = 'processing'): Row => ({
  ref,
  cache: 'files',
  status,
  createdAt: '2026-11-28T09:00:00.000Z',
  attempt: 1,
  may: [],
})
const refs = ({ tasks }: Model) => tasks.map(task => task.row.ref)
const withTasks = (...rows: Row[]) => reduce(EMPTY_MODEL, { type: 'tasks', tasks: rows, now: 0 })
const changes = (changed: Row[], deleted: string[] = [], now = 1_000) =>
  ({ type: 'changes', changes: { changed, deleted }, now }) as const

it('a task that ends says for a while how, and leaves then', () => {
  const ended = reduce(withTasks(row('a'), row('b')), changes([row('a', 'complete')]))
  expect(refs(ended)).toEqual(['a', 'b'])
  expect(ended.tasks[0]?.row.status).toBe('complete')
  expect(reduce(ended, { type: 'tick', now: 1_000 + LINGER_MS - 1 })).toBe(ended)
  expect(refs(reduce(ended, { type: 'tick', now: 1_000 + LINGER_MS }))).toEqual(['b'])
})

it('a task that begins comes last, and one that is reported again keeps its place', () => {
  const model = reduce(withTasks(row('a'), row('b')), changes([row('c'), row('a')]))
  expect(refs(model)).toEqual(['a', 'b', 'c'])
  expect(model.tasks.map(({ seenAt }) => seenAt)).toEqual([1_000, 0, 1_000])
})

it('what ended before the page was opened does not come up as a task', () => {
  expect(refs(reduce(withTasks(row('a')), changes([row('old', 'complete')])))).toEqual(['a'])
})

it('a deleted task is gone at once', () => {
  expect(refs(reduce(withTasks(row('a'), row('b')), changes([], ['a'])))).toEqual(['b'])
})

it('tasks that are loaded anew keep who is just leaving', () => {
  const ended = reduce(withTasks(row('a'), row('b')), changes([row('a', 'failed')]))
  expect(refs(reduce(ended, { type: 'tasks', tasks: [row('b')], now: 2_000 }))).toEqual(['a', 'b'])
})

it('a page of an earlier filter is of no use', () => {
  const filtered = reduce(EMPTY_MODEL, { type: 'filter', filter: { tool: 'crawl' } })
  const page = { entries: [row('a', 'complete')] }
  expect(reduce(filtered, { type: 'page', page, isFirst: true, generation: 0 })).toBe(filtered)
  expect(
    reduce(filtered, { type: 'page', page, isFirst: true, generation: 1 }).list.rows.map(({ ref }) => ref),
  ).toEqual(['a'])
})

it('what a value is stays known until the entry runs again', () => {
  const sizes = [{ ref: 'a', kind: 'list of 3 records' }]
  const known = reduce(EMPTY_MODEL, { type: 'sizes', sizes })
  expect(reduce(known, changes([row('a', 'complete')])).sizes.has('a')).toBe(true)
  expect(reduce(known, changes([row('a', 'processing')])).sizes.has('a')).toBe(false)
  expect(reduce(known, changes([], ['a'])).sizes.has('a')).toBe(false)
})
