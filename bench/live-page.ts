import { describeActor } from '../src/access/actor.ts'
import { systemClock } from '../src/core/clock.ts'
import { actor, RefCache, type Store } from '../src/index.ts'
import { openInspector } from '../src/inspect/index.ts'
import { complete, pending } from '../src/testing/store-drafts.ts'
import { uiHandler } from '../src/ui/index.ts'
import { EventStreams } from '../src/ui/server/events.ts'
import { OperatorSight } from '../src/ui/server/operator-sight.ts'
import { PageFiles } from '../src/ui/server/page-files.ts'
import { answer } from '../src/ui/server/routes.ts'
import { type Kind, refId, STORE_KINDS } from './filled-stores.ts'
import { pauseOf, type Timing, timed } from './pause.ts'
import { duration, type Row } from './row.ts'

/** Which stores, of `memory`, `sqlite` and `redis`; all of them by default. */
const STORES = process.env.MANY_STORES?.split(',')
const FEW = 10_000
const MANY = 100_000
/** Newer than all that is stored, and beside it. */
const QUEUED = 5_000
const ROUNDS = 3
const ADA = actor.user('ada')

type Ask = (path: string) => Promise<Response>

/** What each route of the live page's server costs with many entries, and how long it holds the event loop. */
export async function livePageBench(): Promise<Row[]> {
  const rows: Row[] = []
  for (const [name, withStores] of Object.entries(STORE_KINDS)) {
    if (STORES && !STORES.includes(name)) continue
    rows.push(...(await withStores(4 * MANY, kind => compare(kind('few'), kind('many')))))
  }
  return rows
}

async function compare(few: Kind, many: Kind): Promise<Row[]> {
  const small = await measure(few, FEW)
  const large = await measure(many, MANY)
  return [...large].map(([route, timing]) => {
    const { ms } = small.get(route) as Timing
    return {
      what: `${many.name}, ${MANY.toLocaleString('en')} entries: ${route}`,
      ours: pauseOf(timing),
      against: `${FEW.toLocaleString('en')}: ${duration(ms)}`,
      ratio: timing.ms / ms,
    }
  })
}

async function measure(kind: Kind, count: number): Promise<Map<string, Timing>> {
  const store = kind.open()
  const cache = new RefCache({ name: 'bench', store, sweepInterval: '1h' })
  const source = await cache.set('source', [{ n: 1 }, { n: 2 }], { actor: ADA })
  await fill(kind, store, count, source.refId)
  const found = new Map<string, Timing>()
  for (const [who, ask] of Object.entries({ operator: operatorOf(cache, store), actor: actorOf(cache) })) {
    for (const [route, paths] of Object.entries(routesOf(source.refId))) {
      found.set(`${route}, ${who}`, await worst(() => allOf(ask, paths)))
    }
    found.set(`the 20th page of stored, ${who}`, await pageOf(ask, 20))
    found.set(`first event, ${who}`, await worst(() => firstEvent(ask)))
  }
  await cache.close({ drain: 0 })
  return found
}

/** Half of it are runs, a quarter was put in, a quarter are answers about one value. */
async function fill(kind: Kind, store: Store, count: number, source: string): Promise<void> {
  const now = Date.now()
  const like = { createdAt: now - QUEUED, startedBy: describeActor(ADA), expiresAt: now + 24 * 3_600_000 }
  const ran = { startedAt: now - 9_000, completedAt: now }
  const { toolName: _, ...set } = complete({ ...like, refId: refId(), completedAt: now })
  const answers = { toolName: 'query_cached_result', uses: [source] }
  await kind.fill(store, complete({ ...like, ...ran, refId: refId(), toolName: 'analyze' }), count / 2)
  await kind.fill(store, complete({ ...set, refId: refId() }), count / 4)
  await kind.fill(store, complete({ ...like, ...ran, ...answers, refId: refId() }), count / 4)
  const { startedBy } = like
  await kind.fill(store, pending({ refId: refId(), createdAt: now, startedBy, toolName: 'wait' }), QUEUED)
}

function operatorOf(cache: RefCache, store: Store): Ask {
  const clock = systemClock
  const desk = {
    files: new PageFiles(new URL('./', import.meta.url)),
    streams: new EventStreams(clock),
    clock,
  }
  const sight = new OperatorSight({
    inspector: openInspector(store, { progressMessages: true }),
    cacheOf: () => cache,
  })
  return path =>
    answer(new Request(`http://127.0.0.1/${path}`), { sight, name: 'operator', isStillIn: () => true }, desk)
}

function actorOf(cache: RefCache): Ask {
  const handler = uiHandler(cache, { actor: () => ADA })
  return path => handler(new Request(`http://127.0.0.1/${path}`))
}

const STORED = 'api/entries?limit=200&status=complete&status=failed&status=cancelled'

/** What is asked for at once. */
function routesOf(source: string): Readonly<Record<string, readonly string[]>> {
  return {
    overview: ['api/overview'],
    tasks: ['api/tasks'],
    'all entries': ['api/entries?limit=200'],
    stored: [STORED],
    'stored, of a tool that nothing has': [`${STORED}&tool=other`],
    'one entry, much used': [`api/entry?ref=${source}`],
    'its value': [`api/value?ref=${source}`],
    'history of a day': ['api/history?hours=24'],
    'all that a page asks for at its start': ['api/overview', 'api/tasks', STORED, 'api/history?hours=24'],
  }
}

async function allOf(ask: Ask, paths: readonly string[]): Promise<void> {
  await Promise.all(paths.map(path => jsonOf(ask, path)))
}

async function pageOf(ask: Ask, number: number): Promise<Timing> {
  let cursor = ''
  for (let page = 1; page < number; page++)
    cursor = `&cursor=${(await jsonOf(ask, STORED + cursor)).nextCursor}`
  return worst(() => jsonOf(ask, STORED + cursor))
}

async function jsonOf(ask: Ask, path: string): Promise<{ nextCursor?: string }> {
  const response = await ask(path)
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`)
  return (await response.json()) as { nextCursor?: string }
}

/** Until the first event stands in the stream: what a page waits for when it connects. */
async function firstEvent(ask: Ask): Promise<void> {
  const { body } = await ask('api/events')
  let text = ''
  for await (const chunk of body ?? []) {
    text += new TextDecoder().decode(chunk)
    if (text.includes('event: ')) return
  }
}

/** The slowest of a few. */
async function worst(run: () => Promise<unknown>): Promise<Timing> {
  let slowest: Timing = { ms: 0, longestPause: 0, peak: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    const timing = await timed(run)
    if (timing.ms > slowest.ms) slowest = timing
  }
  return slowest
}
