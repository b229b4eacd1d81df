// The process that answers questions in SQL. It is told what to load and what to ask through its standard input, and has nothing else.
import { type FrameKind, FrameReader, writeFrame } from '../frames.ts'
import type { Order, Report } from '../messages.ts'
import { type Binding, loadBinding } from './binding.ts'
import { watchMemory } from './memory-watch.ts'
import { InvalidQuestion, QuestionDatabase } from './question-database.ts'

const databases = new Map<string, QuestionDatabase>()
/** What is being sent of a source. */
let loading: { readonly order: Order & { do: 'load' }; readonly pieces: string[] } | undefined

function send(kind: FrameKind, text: string): Promise<void> {
  return new Promise(done => process.stdout.write(writeFrame({ kind, text }), () => done()))
}

/** UTF-16 units in one frame; rows of ordinary size have less. */
const SENT_AT_ONCE = 128 * 1024

/** A row can have a cell of many megabytes, which the other side must not take at once. */
async function sendRows(rows: string): Promise<void> {
  let rest = 0
  while (rows.length - rest > SENT_AT_ONCE) {
    const end = rest + SENT_AT_ONCE
    const isPair = /[\ud800-\udbff]/.test(rows[end - 1] as string)
    await send('part', rows.slice(rest, isPair ? end - 1 : end))
    rest = isPair ? end - 1 : end
  }
  await send('data', rows.slice(rest))
}

function report(message: Report): Promise<void> {
  return send('message', JSON.stringify(message))
}

async function obey(binding: Binding, order: Order): Promise<void> {
  switch (order.do) {
    case 'load':
      loading = { order, pieces: [] }
      return
    case 'end':
      return load(binding)
    case 'drop':
      databases.get(order.set)?.close()
      databases.delete(order.set)
      return
    case 'ask': {
      const database = databases.get(order.set) as QuestionDatabase
      const answer = await database.ask(order.sql, order.maxBytes, sendRows)
      await report({ did: 'ask', ...answer })
    }
  }
}

async function load(binding: Binding): Promise<void> {
  if (!loading) return
  const { order, pieces } = loading
  loading = undefined
  const database = databases.get(order.set) ?? new QuestionDatabase(binding)
  databases.set(order.set, database)
  await database.load(order.name, order.kind, pieces)
  await report({ did: 'load', bytes: database.bytes })
}

function fail(error: unknown): Promise<void> {
  const isAsked = error instanceof InvalidQuestion
  const message = error instanceof Error ? error.message : String(error)
  return report({ did: 'fail', code: isAsked ? 'invalid_argument' : 'internal', message })
}

async function main(): Promise<void> {
  const [binding] = await Promise.all([loadBinding(), watchMemory(Number(process.argv[2]))])
  await report({ did: 'start' })
  const frames = new FrameReader()
  for await (const chunk of process.stdin) {
    for (const { kind, text } of frames.read(chunk as Buffer)) {
      if (kind === 'data') loading?.pieces.push(text)
      else await obey(binding, JSON.parse(text) as Order).catch(fail)
    }
  }
  process.exit()
}

await main()
