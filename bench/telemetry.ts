import { cpSync, writeFileSync } from 'node:fs'
import { RefCache } from '../src/index.ts'
import { channels } from '../src/telemetry/channels.ts'
import { instrument } from '../src/telemetry/otel/index.ts'
import { interleave, type Operation } from './interleave.ts'
import { compared, type Row } from './row.ts'

const PLAN = { rounds: 15, batch: 200 }

/** `src/telemetry/channels.ts` as it would be if nothing could be heard. */
const SILENT = `
const silent = { hasSubscribers: false, publish() {} }
export const channels = new Proxy({}, { get: () => silent })
export const isHeard = () => false
export const isCallHeard = () => false
export const inThisContext = callback => callback
export const trace = (_of, _message, work) => work()
`

/** What telemetry costs a call: while nobody listens, with a subscriber to each channel, and with spans that nobody exports. */
export async function telemetryBench(): Promise<Row[]> {
  const Removed = await withoutTelemetry()
  const row = async (what: string): Promise<Row[]> => {
    const rows = []
    for (const memoize of [false, true]) {
      const [ours, removed] = await measured(memoize, Removed)
      rows.push(compared(`${memoize ? 'hit' : 'call'}, ${what}`, ours, 'telemetry removed', removed))
    }
    return rows
  }
  const nobody = await row('nobody listens to telemetry')
  const end = listenToAll()
  const somebody = await row('somebody listens to all channels')
  end()
  const instrumentation = await instrument()
  const spans = await row('OpenTelemetry without an SDK')
  instrumentation.end()
  return [...nobody, ...somebody, ...spans]
}

async function measured(memoize: boolean, Removed: typeof RefCache): Promise<[number, number]> {
  const caches = [new RefCache(), new Removed()]
  const [ours, removed] = await interleave(
    caches.map(cache => callOf(cache, memoize)),
    PLAN,
  )
  await Promise.all(caches.map(cache => cache.close()))
  return [ours!, removed!]
}

function callOf(cache: RefCache, memoize: boolean): Operation {
  const lookup = cache.cached({ name: 'lookup', memoize, ttl: '1s' }, (_: { id: string }) => ({
    name: 'Ada',
  }))
  return () => lookup({ id: 'ada' })
}

function listenToAll(): () => void {
  const ends = Object.values(channels).map(channel => {
    if ('start' in channel) {
      const subscribers = { start() {}, end() {}, asyncStart() {}, asyncEnd() {}, error() {} }
      channel.subscribe(subscribers)
      return () => void channel.unsubscribe(subscribers)
    }
    const onMessage = () => {}
    channel.subscribe(onMessage)
    return () => void channel.unsubscribe(onMessage)
  })
  return () => {
    for (const end of ends) end()
  }
}

/** A copy of the compiled library, in which one file is another one. */
async function withoutTelemetry(): Promise<typeof RefCache> {
  const copy = new URL('../without-telemetry/', import.meta.url)
  cpSync(new URL('../src/', import.meta.url), copy, { recursive: true })
  writeFileSync(new URL('telemetry/channels.js', copy), SILENT)
  const { RefCache: Removed } = (await import(new URL('index.js', copy).href)) as {
    RefCache: typeof RefCache
  }
  return Removed
}
