import type { Clock } from '../../core/clock.ts'
import { ENTRY_STATUSES, type EntryStatus } from '../../core/entry.ts'
import { isJsonObject, type JsonValue } from '../../core/json.ts'
import type { Row, RowPage } from '../api.ts'
import { ACTIONS, refIn } from './actions.ts'
import { detailOf, entryGraphOf, sizesOf } from './detail.ts'
import type { EventStreams } from './events.ts'
import { historyOf } from './history.ts'
import { bodyOf, checkOrigin, invalid, json, plain, problem, Refused } from './http.ts'
import type { PageFiles } from './page-files.ts'
import { toRow } from './rows.ts'
import { toShown, valueShown } from './shown.ts'
import type { Looker, Sight } from './sight.ts'

/** What the routes need, whoever looks. */
export interface RouteContext {
  readonly files: PageFiles
  readonly streams: EventStreams
  readonly clock: Clock
}

/** The signal says that the reader is gone. */
type Route = (
  sight: Sight,
  query: URLSearchParams,
  context: RouteContext,
  signal: AbortSignal,
) => Promise<unknown>

const MOST_TASKS = 200
const MOST_SIZES = 100
const MOST_ROWS = 200
const DEFAULT_ROWS = 100
const MOST_HOURS = 24 * 31
const HOUR_MS = 3_600_000
/** A question is given up by its own limits long before. */
const WAIT = '2m'

const READS: Readonly<Record<string, Route>> = {
  overview: async (sight, _, { clock }) => ({
    now: new Date(clock.now()).toISOString(),
    ...(await sight.overview()),
  }),

  tasks: async sight => ({ tasks: await tasksOf(sight) }),

  entries: async (sight, query): Promise<RowPage> => {
    const statuses = query.getAll('status')
    if (!statuses.every(isStatus)) throw invalid(`A status is one of ${ENTRY_STATUSES.join(', ')}.`)
    const { entries, nextCursor } = await sight.list({
      cache: query.get('cache') ?? undefined,
      tool: query.get('tool') ?? undefined,
      find: query.get('find')?.slice(0, 200) || undefined,
      cursor: query.get('cursor') ?? undefined,
      statuses: statuses.length === 0 ? undefined : [...new Set(statuses)],
      limit: numberIn(query, 'limit', MOST_ROWS) ?? DEFAULT_ROWS,
    })
    return { entries: entries.map(toRow), ...(nextCursor === undefined ? {} : { nextCursor }) }
  },

  sizes: async (sight, query) => {
    const refs = query.getAll('ref')
    if (refs.length > MOST_SIZES) throw invalid(`Ask for at most ${MOST_SIZES} sizes at once.`)
    return { sizes: await sizesOf(sight, refs) }
  },

  entry: (sight, query) => detailOf(sight, refOf(query)),

  graph: (sight, query) => entryGraphOf(sight, refOf(query)),

  value: async (sight, query, _, signal) => {
    const reference = refOf(query)
    const [refId = ''] = reference.split('#')
    return valueShown(await sight.open(refId), reference, { page: numberIn(query, 'page'), signal })
  },

  history: (sight, query, { clock }) => {
    const hours = numberIn(query, 'hours', MOST_HOURS) ?? 24
    return historyOf(sight, new Date(clock.now() - hours * HOUR_MS))
  },
}

/** The oldest first. */
async function tasksOf(sight: Sight): Promise<Row[]> {
  const { entries } = await sight.list({ statuses: ['pending', 'processing'], limit: MOST_TASKS })
  return entries.map(toRow).reverse()
}

async function ask(sight: Sight, body: JsonValue) {
  const reference = refIn(body)
  const { sql, search, context } = isJsonObject(body) ? body : {}
  if ((typeof sql === 'string') === (typeof search === 'string')) {
    throw invalid('Ask either in `sql` or with `search`: a text.')
  }
  if (context !== undefined && typeof context !== 'number') throw invalid('`context` is a number of lines.')
  const { cache, actor } = await sight.open(reference.split('#')[0] ?? '')
  const question = typeof sql === 'string' ? { sql } : { search: search as string, context }
  const answer = await cache.query(reference, { actor, ...question, wait: WAIT })
  return toShown(answer)
}

/** The answer to a request of one who may look. Which part of the path is the page's own is told by its end. */
export async function answer(request: Request, looker: Looker, context: RouteContext): Promise<Response> {
  const { sight, ownsStore } = looker
  try {
    const { pathname, searchParams } = new URL(request.url)
    const [, route] = /\/api\/([^/]*)$/.exec(pathname) ?? []
    if (route === undefined) return fileOf(request, pathname, context.files)
    checkOrigin(request)
    if (route === 'events' && request.method === 'GET') return context.streams.open(looker, request)
    if (request.method === 'POST') return json(await act(route, sight, request))
    const read = Object.hasOwn(READS, route) ? READS[route] : undefined
    if (!read) throw new Refused(404, 'not_found', 'There is no such route.')
    if (request.method !== 'GET') throw new Refused(405, 'invalid_request', 'This is asked for with GET.')
    return json(await read(sight, searchParams, context, request.signal))
  } catch (error) {
    return problem(error, ownsStore)
  }
}

async function act(route: string, sight: Sight, request: Request): Promise<unknown> {
  const body = await bodyOf(request)
  if (route === 'query') return ask(sight, body)
  const action = Object.hasOwn(ACTIONS, route) ? ACTIONS[route] : undefined
  if (!action) throw new Refused(404, 'not_found', 'There is nothing to do by this route.')
  return action(sight, body)
}

/** The page lies in a folder of its own, so that all it asks for is relative to that. */
function fileOf({ method }: Request, pathname: string, files: PageFiles): Response {
  if (method !== 'GET' && method !== 'HEAD') throw new Refused(405, 'invalid_request', 'Ask with GET.')
  const name = pathname.slice(pathname.lastIndexOf('/') + 1)
  const file = files.answer(name === '' ? 'index.html' : name)
  if (file) return file
  if (name.includes('.')) return plain('There is no such file.', 404)
  const moved = plain('The page is one level deeper.', 308)
  moved.headers.set('location', `./${name}/`)
  return moved
}

function isStatus(text: string): text is EntryStatus {
  return ENTRY_STATUSES.some(status => status === text)
}

/** @throws Refused */
function refOf(query: URLSearchParams): string {
  const ref = query.get('ref')
  if (ref !== null) return ref
  throw invalid('Say which reference is meant: ?ref=…')
}

/** @throws Refused */
function numberIn(query: URLSearchParams, name: string, most = 1_000_000): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  const number = Number(text)
  if (/^\d{1,9}$/.test(text) && number >= 1) return Math.min(number, most)
  throw invalid(`'${name}' is a whole number from 1.`)
}
