import { countTokens as libraryCount } from 'gpt-tokenizer/encoding/o200k_base'
import type { JsonValue } from '../src/core/json.ts'
import { countTokens, loadTokenizer, render, Source } from '../src/preview/preview.ts'
import { interleave } from './interleave.ts'
import { compared, duration, type Row } from './row.ts'

const PREVIEW = { maxSize: 1000, sizeMode: 'token', strategy: 'sample' } as const

/** Previews and pages of large lists with the longest pause of the event loop, and the speed of counting tokens. */
export async function previewBench(): Promise<Row[]> {
  const loading = await timed(loadTokenizer)
  return [
    alone('load the tokenizer, once', loading),
    ...(await countingSpeed()),
    ...(await listViews('1 MB', 7000)),
    ...(await listViews('50 MB', 320_000)),
  ]
}

async function listViews(size: string, count: number): Promise<Row[]> {
  const value = records(count)
  const json = JSON.stringify(value)
  const preview = await timed(() => render(new Source(value, json), PREVIEW))
  const source = new Source(value, json)
  const first = await timed(() => render(source, { ...PREVIEW, page: 1 }))
  const next = await timed(() => render(source, { ...PREVIEW, page: 2 }))
  return [
    alone(`preview of a ${size} list`, preview),
    alone(`first page of a ${size} list`, first),
    alone(`next page of a ${size} list`, next),
  ]
}

async function countingSpeed(): Promise<Row[]> {
  const rows: Row[] = []
  for (const [name, text] of [
    ['prose', prose(2_000_000)],
    ['JSON', JSON.stringify(records(12_500))],
  ] as const) {
    const [ours, theirs] = await interleave([() => countTokens(text), async () => libraryCount(text)], {
      rounds: 5,
      batch: 1,
    })
    const what = `count tokens of ${(text.length / 1e6).toFixed(1)} MB of ${name}`
    rows.push(compared(what, ours!, 'gpt-tokenizer', theirs!))
  }
  return rows
}

interface Timing {
  ms: number
  longestPause: number
}

function alone(what: string, { ms, longestPause }: Timing): Row {
  return { what, ours: `${duration(ms)}, longest pause ${duration(longestPause)}` }
}

/** Runs it while a timer ticks each millisecond: the longest gap between ticks is the longest pause. */
async function timed(run: () => Promise<unknown>): Promise<Timing> {
  let last = performance.now()
  let longestPause = 0
  const tick = () => {
    longestPause = Math.max(longestPause, performance.now() - last)
    last = performance.now()
  }
  const ticking = setInterval(tick, 1)
  await new Promise(resolve => setTimeout(resolve, 5))
  longestPause = 0
  const start = performance.now()
  await run()
  const ms = performance.now() - start
  tick()
  clearInterval(ticking)
  return { ms, longestPause }
}

function records(count: number): JsonValue[] {
  return Array.from({ length: count }, (_, id) => ({
    id,
    name: `User ${id}`,
    email: `user${id}@example.com`,
    note: WORDS[id % WORDS.length]!,
    address: { street: `${id} Main Street`, city: 'Springfield' },
  }))
}

const WORDS = ['prefers mail', 'calls back on Mondays', 'new since spring', 'asked for an invoice']

/** Words in an order that does not repeat soon, so that no cache makes it look faster than it is. */
function prose(length: number): string {
  const words =
    'the of and to in is that it was for on are with as his they at be this have from or had by'.split(' ')
  const parts: string[] = []
  let seed = 1
  for (let written = 0; written < length; ) {
    seed = (seed * 48_271) % 2_147_483_647
    const word = seed % 7 === 0 ? `x${(seed % 99_991).toString(36)}` : words[seed % words.length]!
    parts.push(seed % 13 === 0 ? `${word}.\n` : word)
    written += word.length + 1
  }
  return parts.join(' ')
}
