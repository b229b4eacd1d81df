// The process that answers questions in SQL. It is told what to load and what to ask through its standard input, and has nothing else.
import { FrameReader, writeFrame } from '../frames.ts'
import type { Order, Report } from '../messages.ts'
import { type Binding, loadBinding } from './binding.ts'
import { watchMemory } from './memory-watch.ts'
import { InvalidQuestion, QuestionDatabase } from './question-database.ts'

const databases = new Map<string, QuestionDatabase>()
/** What is being sent of a source. */
let loading: { readonly order: Order & { do: 'load' }; readonly pieces: string[] } | undefined

function send(kind: 'message' | 'data', text: string): Promise<void> {
  return new Promise(done => process.stdout.write(writeFrame({ kind, text }), () => done()))
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
      const answer = await database.ask(order.sql, order.maxBytes, rows => send('data', rows))
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
