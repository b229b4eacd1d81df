// The process that answers questions in SQL. It is told what to load and what to ask through its standard input, and has nothing else.
import { type FrameKind, FrameReader, writeFrame } from '../frames.ts'
import type { ChildRequest, ChildResponse } from '../messages.ts'
import { type Binding, loadBinding } from './binding.ts'
import { watchMemory } from './memory-watch.ts'
import { InvalidQuestion, QuestionDatabase } from './question-database.ts'
import { ReceivedText } from './received-text.ts'

const databases = new Map<string, QuestionDatabase>()
/** The source that is being sent. It is loaded while it comes. */
let loading:
  | {
      readonly length: number | undefined
      readonly text: ReceivedText
      readonly loaded: Promise<ChildResponse>
    }
  | undefined

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

function respond(message: ChildResponse): Promise<void> {
  return send('message', JSON.stringify(message))
}

async function handle(binding: Binding, request: ChildRequest): Promise<void> {
  switch (request.type) {
    case 'load': {
      const text = new ReceivedText()
      const loaded = load(binding, request, text)
      // Said when all has come.
      loaded.catch(() => {})
      loading = { length: request.length, text, loaded }
      return
    }
    case 'end': {
      const { length, text, loaded } = loading as NonNullable<typeof loading>
      loading = undefined
      text.end()
      const response = await loaded
      if (length !== undefined && text.length !== length) throw new Error('A part of the value is gone.')
      return respond(response)
    }
    case 'drop':
      databases.get(request.set)?.close()
      databases.delete(request.set)
      return
    case 'ask': {
      const database = databases.get(request.set) as QuestionDatabase
      const answer = await database.ask(request.sql, request.maxBytes, sendRows)
      await respond({ type: 'answered', ...answer })
    }
  }
}

async function load(
  binding: Binding,
  request: ChildRequest & { type: 'load' },
  text: ReceivedText,
): Promise<ChildResponse> {
  const database = databases.get(request.set) ?? new QuestionDatabase(binding)
  databases.set(request.set, database)
  await database.load(request, text)
  return { type: 'loaded', bytes: database.bytes }
}

function fail(error: unknown): Promise<void> {
  const isAsked = error instanceof InvalidQuestion
  const message = error instanceof Error ? error.message : String(error)
  return respond({ type: 'failed', code: isAsked ? 'invalid_argument' : 'internal', message })
}

async function main(): Promise<void> {
  const [binding] = await Promise.all([loadBinding(), watchMemory(Number(process.argv[2]))])
  await respond({ type: 'started' })
  const frames = new FrameReader()
  for await (const chunk of process.stdin) {
    for (const { kind, text } of frames.read(chunk as Buffer)) {
      if (kind === 'data') loading?.text.push(text)
      else await handle(binding, JSON.parse(text) as ChildRequest).catch(fail)
    }
  }
  process.exit()
}

await main()
