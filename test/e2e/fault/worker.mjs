// One process of a deployment, on the built package. It does what lines of JSON on stdin ask for, and says what
// happens in lines of JSON on stdout, each written before the next step, so that a kill takes no line back.
import { createHash, randomBytes } from 'node:crypto'
import { appendFileSync, existsSync, writeSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { deadlyPoints } from './deadly-points.mjs'

const config = JSON.parse(process.argv[2])
// FAULT_DIST names another build of it.
const dist = process.env.FAULT_DIST
  ? pathToFileURL(`${process.env.FAULT_DIST}/`)
  : new URL('../../../dist/', import.meta.url)
const { RefCache, systemClock } = await import(new URL('index.js', dist))

const databases = []
const { store, reach } = deadlyPoints(await openStore(), config.die, say)
const skewMs = config.skewMs ?? 0
const cache = new RefCache({
  name: 'faults',
  // Machines whose clocks do not agree share entries; what expires is another test's subject.
  defaultTtl: null,
  taskRetention: null,
  // The tokenizer takes a second to load, and counts for nothing here.
  preview: { sizeMode: 'character' },
  ...config.cache,
  store,
  clock: { ...systemClock, now: () => Date.now() + skewMs },
})

async function openStore() {
  const { kind, at, options } = config.store
  if (kind === 'redis') {
    const { redisStore } = await import(new URL('stores/redis.js', dist))
    return redisStore(at, options)
  }
  const { sqliteStore } = await import(new URL('stores/sqlite.js', dist))
  return sqliteStore(at, { ...options, driver: await openingDriver() })
}

/** The usual driver, which lets this process at the databases that it opens. */
async function openingDriver() {
  const { DatabaseSync } = await import(isBuiltin('node:sqlite') ? 'node:sqlite' : '@photostructure/sqlite')
  return {
    DatabaseSync: class extends DatabaseSync {
      constructor(path) {
        super(path)
        databases.push(this)
      }
    },
  }
}

function say(line) {
  for (let rest = Buffer.from(`${JSON.stringify(line)}\n`); rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(1, rest))
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error
    }
  }
}

/** The judge of what ran: outside of the cache, one line a step, whole lines by O_APPEND. */
function record(step, id, more) {
  appendFileSync(
    config.record,
    `${JSON.stringify({ step, id, pid: process.pid, at: Date.now(), ...more })}\n`,
  )
}

/** Ignores its signal on purpose, unless it is told to heed it: late results are what the tests are about. */
async function work({ id, ms = 0, size = 10, steps = 0, gate, heed = false, fails = false }, task) {
  record('begin', id, { attempt: task.attempt })
  task.signal.addEventListener('abort', () => {
    record('abort', id, { code: task.signal.reason?.code })
    say({ aborted: id, code: task.signal.reason?.code })
  })
  say({ begun: id })
  reach('in handler')
  for (let step = 1; step <= steps; step++) {
    task.progress(step, steps, `step ${step}`)
    await sleep(ms / steps)
  }
  if (steps === 0 && ms > 0) await sleep(ms)
  while (gate && !existsSync(gate)) await sleep(10)
  if (heed) task.signal.throwIfAborted()
  if (fails) throw new Error(`${id} fails`)
  record('end', id)
  say({ ended: id })
  const body = randomBytes(Math.ceil(size / 2)).toString('hex')
  return { id, by: process.pid, body, digest: digestOf(id, body) }
}

function digestOf(id, body) {
  return createHash('sha256').update(`${id} ${body}`).digest('hex')
}

function verdict({ id, by, body, digest }) {
  return { id, by, size: body.length, digest, intact: digest === digestOf(id, body) }
}

const tools = {
  safe: cache.cached({ name: 'safe', idempotent: true, ...config.tool }, work),
  unsafe: cache.cached({ name: 'unsafe', idempotent: false, ...config.tool }, work),
}
cache.on('entry:joined', ({ refId }) => say({ joined: refId }))
cache.on('task:recovered', ({ refId }) => say({ recovered: refId }))

/** How a reference stands and, once it is complete, what its value proves to be. */
async function look({ refId, wait }) {
  if (wait) await cache.get(refId, { wait, maxSize: 50, responseFormat: 'full' })
  const status = await cache.taskStatus(refId)
  if (status.status !== 'complete') return status
  return { ...status, value: verdict(await cache.resolve(refId)) }
}

const commands = {
  call: ({ tool, input, options }) => tools[tool](input, options),
  get: ({ refId, options }) => cache.get(refId, options),
  look,
  cancel: ({ refId }) => cache.cancelTask(refId),
  /** With nothing in between, as one program can and two messages cannot. */
  cancelAndRetry: async ({ refId }) => {
    await cache.cancelTask(refId)
    return cache.retryTask(refId)
  },
  retry: ({ refId }) => cache.retryTask(refId),
  memory: async () => {
    for (let turn = 0; turn < 3; turn++) {
      globalThis.gc?.()
      await sleep(50)
    }
    return { heapUsed: process.memoryUsage().heapUsed, exact: globalThis.gc !== undefined }
  },
  /** How long each of `count` polls of ever other references takes, in milliseconds. */
  pollTimes: async ({ refIds, count }) => {
    const times = []
    for (let poll = 0; poll < count; poll++) {
      const begin = performance.now()
      await cache.get(refIds[poll % refIds.length], { maxSize: 50 })
      times.push(performance.now() - begin)
      await sleep(5)
    }
    return times
  },
  /** How large the file may be; less than it is means as large as it is. */
  limitPages: ({ pages }) => {
    for (const database of databases) database.exec(`PRAGMA max_page_count = ${pages}`)
  },
  close: ({ drain }) => cache.close({ drain }),
}

async function answer({ ask, name, ...command }) {
  try {
    say({ answer: ask, value: await commands[name](command) })
  } catch (error) {
    say({ answer: ask, error: { name: error.name, code: error.code, message: error.message } })
  }
}

const lines = createInterface({ input: process.stdin })
lines.on('line', line => void answer(JSON.parse(line)))
// The parent is gone, or has no more questions.
lines.on('close', () => void cache.close().then(() => process.exit(0)))
say({ ready: process.pid })
