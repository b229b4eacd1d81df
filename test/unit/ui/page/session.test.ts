import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Changes, Overview, Row, RowPage } from '../../../../src/ui/api.ts'
import { type Server, ServerProblem } from '../../../../src/ui/page/server.ts'
import { Session } from '../../../../src/ui/page/state/session.ts'

const AT = '2026-11-28T09:00:00.000Z'
const OVERVIEW: Overview = { now: AT, sight: 'operator', running: 1, waiting: 0, caches: [], tools: [] }
const row = (ref: string, status: Row['status'] = 'complete'): Row => ({
  ref,
  cache: 'files',
  status,
  createdAt: AT,
  attempt: 1,
  may: [],
})

/** A stream of events, and answers that come when a test says so. */
class Stream extends EventTarget {
  readyState = 0
  open(): void {
    this.readyState = 1
    this.dispatchEvent(new Event('open'))
  }
  tell(type: 'reset' | 'changes' | 'problem', data: object): void {
    this.dispatchEvent(Object.assign(new Event(type), { data: JSON.stringify(data) }))
  }
  close(): void {
    this.readyState = 2
  }
}

interface Later<Answer> {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

function asked<Answer>() {
  const open: Later<Answer>[] = []
  const ask = vi.fn(
    (..._: unknown[]) => new Promise<Answer>((resolve, reject) => open.push({ resolve, reject })),
  )
  return { ask, open }
}

const settled = () => vi.advanceTimersByTimeAsync(0)
const refs = (rows: readonly Row[]) => rows.map(({ ref }) => ref)

function begin() {
  const streams: Stream[] = []
  const tasks = asked<readonly Row[]>()
  const entries = asked<RowPage>()
  const overview = vi.fn(async () => OVERVIEW)
  const events = () => {
    streams.push(new Stream())
    return streams.at(-1)
  }
  const server = { overview, tasks: tasks.ask, entries: entries.ask, events }
  const session = new Session(server as unknown as Server)
  session.start()
  const tell = (changes: Partial<Changes>) =>
    streams.at(-1)?.tell('changes', { changed: [], deleted: [], overview: OVERVIEW, ...changes })
  return { session, stream: streams[0]!, tasks, entries, overview, tell }
}

async function loaded(page: RowPage = { entries: [row('files:1')] }) {
  const all = begin()
  all.stream.open()
  all.stream.tell('reset', OVERVIEW)
  all.tasks.open[0]?.resolve([row('files:9', 'processing')])
  all.entries.open[0]?.resolve(page)
  await settled()
  return all
}

beforeEach(() => void vi.useFakeTimers({ now: Date.parse(AT) }))
afterEach(() => void vi.useRealTimers())

it('loads once at its start, with what the stream says first', async () => {
  const { session, tasks, entries, overview } = await loaded()
  await vi.advanceTimersByTimeAsync(3_000)
  expect([tasks.ask, entries.ask, overview].map(({ mock }) => mock.calls.length)).toEqual([1, 1, 0])
  expect(session.model.connection.state).toBe('live')
  expect(refs(session.model.list.rows)).toEqual(['files:1'])
})

it('loads where a stream says nothing, as while the store is away', async () => {
  const { stream, tasks } = begin()
  stream.open()
  expect(tasks.ask).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1_500)
  expect(tasks.ask).toHaveBeenCalledOnce()
})

it('an answer that is older than another load is of no use', async () => {
  const { session, stream, tasks, entries } = begin()
  stream.tell('reset', OVERVIEW)
  stream.tell('reset', OVERVIEW)
  tasks.open[1]?.resolve([])
  entries.open[1]?.resolve({ entries: [row('files:new')] })
  await settled()
  tasks.open[0]?.resolve([row('files:old', 'processing')])
  entries.open[0]?.resolve({ entries: [row('files:old')], nextCursor: '2' })
  await settled()
  expect(refs(session.model.tasks.map(task => task.row))).toEqual([])
  expect(refs(session.model.list.rows)).toEqual(['files:new'])
})

it('what changes while it loads stays changed', async () => {
  const { session, stream, tasks, entries, tell } = begin()
  stream.tell('reset', OVERVIEW)
  tell({ changed: [row('files:7', 'processing'), row('files:2')], deleted: ['files:1', 'files:9'] })
  tasks.open[0]?.resolve([row('files:9', 'processing')])
  entries.open[0]?.resolve({ entries: [row('files:1')] })
  await settled()
  expect(refs(session.model.tasks.map(task => task.row))).toEqual(['files:7'])
  expect(refs(session.model.list.rows)).toEqual(['files:2'])
})

it('looks further while pages have no rows, and ends where one fails', async () => {
  const { session, entries } = await loaded({ entries: [], nextCursor: '2' })
  expect(entries.ask).toHaveBeenLastCalledWith(expect.objectContaining({ cursor: '2' }))
  entries.open[1]?.resolve({ entries: [], nextCursor: '3' })
  await settled()
  entries.open[2]?.reject(new Error('It broke.'))
  await settled()
  session.loadMore()
  expect(entries.ask).toHaveBeenCalledTimes(3)
  expect(session.model.list.problem).toBe('It broke.')
  session.reload()
  expect(entries.ask).toHaveBeenLastCalledWith(expect.objectContaining({ cursor: '3' }))
  entries.open[3]?.resolve({ entries: [row('files:1')] })
  await settled()
  expect(session.model.list).toMatchObject({ rows: [{ ref: 'files:1' }] })
  expect(session.model.list.problem).toBeUndefined()
})

it('looks further when the last row that is loaded goes', async () => {
  const { entries, tell } = await loaded({ entries: [row('files:1')], nextCursor: '2' })
  expect(entries.ask).toHaveBeenCalledOnce()
  tell({ deleted: ['files:1'] })
  expect(entries.ask).toHaveBeenCalledTimes(2)
})

it.each([
  ['unauthorized', 'refused'],
  ['forbidden', 'refused'],
  ['store_unavailable', 'away'],
  ['away', 'away'],
])('a load that fails with %s leaves it %s, until one succeeds', async (code, state) => {
  const { session, stream, tasks, entries } = begin()
  stream.tell('reset', OVERVIEW)
  tasks.open[0]?.reject(new ServerProblem({ code, message: 'No.' }))
  entries.open[0]?.resolve({ entries: [] })
  await settled()
  expect(session.model.connection.state).toBe(state)
  stream.readyState = 1
  stream.tell('reset', OVERVIEW)
  tasks.open[1]?.resolve([])
  entries.open[1]?.resolve({ entries: [] })
  await settled()
  expect(session.model.connection.state).toBe('live')
})

it('says that the store is away while the stream says so, until all is loaded anew', async () => {
  const { session, stream, tasks, entries } = begin()
  stream.readyState = 1
  stream.tell('problem', { code: 'store_unavailable', message: 'The file is damaged.' })
  expect(session.model.connection).toEqual({ state: 'stale', why: 'The file is damaged.' })
  stream.tell('reset', OVERVIEW)
  tasks.open[0]?.resolve([])
  entries.open[0]?.resolve({ entries: [] })
  await settled()
  expect(session.model.connection.state).toBe('live')
})

it('says that too many pages may be open where the server answers but opens no stream', async () => {
  const { session, stream } = begin()
  stream.dispatchEvent(new Event('error'))
  await settled()
  expect(session.model.connection).toMatchObject({ state: 'away', why: expect.stringMatching(/too many/i) })
})
