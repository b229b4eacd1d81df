// @ts-check
/**
 * The demo: `npm run demo`. Two servers that nobody here wrote, unchanged, behind `mcp-refcache wrap`, and a
 * client of the official SDK. Everything that is shown is checked; the exit code is 0 only if all of it was seen.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import * as terminal from './terminal.mjs'

const { answered, asked, bar, bold, cyan, detail, dim, green, heading, line, red, seen, yellow } = terminal

const WRAP = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const SLOW = { name: 'trigger-long-running-operation', arguments: { duration: 20, steps: 40 } }
const SHORTER = { name: SLOW.name, arguments: { duration: 4, steps: 4 } }
const ORDERS = 8_000

const folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-demo-'))
const startedAt = performance.now()
/** @type {Client[]} */
const clients = []
let wrapperLog = ''
let slowCallAt = 0

async function demo() {
  line()
  line(`  ${bold('mcp-refcache')} ${dim('· references for MCP tool results')}`)
  line()
  line(`  A server that nobody here wrote, with a few words put in front of its command:`)
  line(`  ${cyan('mcp-refcache wrap --async-timeout 2s --')} mcp-server-everything`)

  const everything = await connect('@modelcontextprotocol/server-everything', ['stdio'])
  const handle = await startSlowTool(everything)
  await followToResult(everything, handle.ref_id)
  await callAgain(everything)

  const file = join(folder, 'orders.json')
  writeFileSync(file, JSON.stringify(orders()))
  const filesystem = await connect('@modelcontextprotocol/server-filesystem', [folder])
  const preview = await readLargeFile(filesystem, file)
  await readPages(filesystem, preview)
  await ask(filesystem, preview)

  line()
  line(
    `  ${green(bold('Everything above was seen and checked'))} in ${seconds(performance.now() - startedAt)}.`,
  )
  line(`  Put it in front of your own server: ${cyan('node dist/cli/main.js wrap')} ${dim('<its command>')}`)
  line()
}

/** @param {Client} client */
async function startSlowTool(client) {
  heading('A slow tool becomes a handle')
  asked(SLOW.name, SLOW.arguments)
  slowCallAt = performance.now()
  const { result, took } = await timed(() => client.callTool(SLOW))
  const handle = answerOf(result)
  check(handle.status === 'processing' && took < 4_000, 'a handle after two seconds')
  answered(`a handle after ${bold(seconds(took))}; the work goes on`)
  detail(`ref_id ${yellow(handle.ref_id)}`)
  return handle
}

/** @param {Client} client @param {string} refId */
async function followToResult(client, refId) {
  heading('The handle is polled, as an agent would')
  const status = new terminal.Status()
  let sawEta = false
  let polls = 0
  let eta = { seconds: 0, at: 0 }
  /** @param {{ progress: number, total?: number }} progress @param {boolean} plain */
  const draw = ({ progress, total = 1 }, plain) => {
    const left = Math.max(0, eta.seconds - (performance.now() - eta.at) / 1000)
    const percent = `${Math.round((progress / total) * 100)} %`.padStart(5)
    status.show(
      `${bar(progress / total)} ${bold(percent)}  ${dim(`step ${progress} of ${total}, about ${left.toFixed(0)} s left`)}`,
      { plain },
    )
  }
  for (;;) {
    polls++
    const polled = await client.callTool(
      { name: 'get_cached_result', arguments: { ref_id: refId, wait_seconds: 3 } },
      { onprogress: progress => draw(progress, false) },
    )
    // The end of the work is its own result, with nothing around it.
    const isResult = polled._meta?.['mcp-refcache/ref_id'] === refId
    if (isResult) {
      status.end()
      seen(
        `the result after ${bold(seconds(performance.now() - slowCallAt))} and ${polls} polls, under the same ref_id:`,
      )
      const [{ text }] = polled.content
      check(text.includes('completed'), 'the result of the tool')
      detail(`“${text}”`)
      check(sawEta, 'an estimate of the time left')
      return
    }
    const answer = answerOf(polled)
    check(answer.ref_id === refId, 'one ref_id from the first answer to the result')
    check(answer.status === 'processing', 'a task in progress')
    const { current, total, percentage } = answer.progress
    check(percentage > 0 && percentage <= 100, 'a percentage')
    sawEta ||= answer.eta_seconds > 0
    eta = { seconds: answer.eta_seconds, at: performance.now() }
    draw({ progress: current, total }, true)
  }
}

/** @param {Client} client */
async function callAgain(client) {
  heading('The same call again, instead of a poll')
  asked(SHORTER.name, SHORTER.arguments)
  const { ref_id } = answerOf(await client.callTool(SHORTER))
  answered('a handle, which nobody polls; the work ends by itself')
  await sleep(3_000)

  asked(SHORTER.name, SHORTER.arguments)
  const { result, took } = await timed(() => client.callTool(SHORTER))
  const meta = result._meta ?? {}
  check(meta['mcp-refcache/ref_id'] === ref_id && took < 1_000, 'the result that nobody had fetched')
  check(typeof meta['mcp-refcache/cached_at'] === 'string', 'the age of the result')
  seen(`its result after ${bold(`${took.toFixed(0)} ms`)}: no second run for an agent that calls again`)

  const third = answerOf(await client.callTool(SHORTER))
  check(third.status === 'processing' && third.ref_id !== ref_id, 'a new run once the result was given')
  detail('now that somebody has it, the same call runs anew: nothing is memoized unless you say so')
  await client.callTool({ name: 'cancel_task', arguments: { ref_id: third.ref_id } })
}

/** @param {Client} client @param {string} file */
async function readLargeFile(client, file) {
  heading('A large result becomes a preview')
  asked('read_text_file', { path: 'orders.json' })
  const { result, took } = await timed(() =>
    client.callTool({ name: 'read_text_file', arguments: { path: file } }),
  )
  const answer = answerOf(result)
  check(answer.is_complete === false && Array.isArray(answer.rows), 'a preview of the list')
  check(answer.preview_size <= 1_000 && answer.original_size > 100_000, 'a preview within its budget')
  const shown = recordsOf(answer)
  const [first, second] = shown
  const last = shown.at(-1)
  check(first.order === 1 && last.order === ORDERS, 'the first and the last item in the preview')
  answered(
    `${shown.length} of ${number(answer.total_items)} orders, spread over the whole list, in ${seconds(took)}`,
  )
  for (const order of [first, second, last]) detail(dim(JSON.stringify(order).slice(0, 84)))
  const longest = number(answer.original_size).length
  const share = answer.preview_size / answer.original_size
  detail(`without  ${number(answer.original_size).padStart(longest)} tokens  ${bar(1)}`)
  detail(`with     ${number(answer.preview_size).padStart(longest)} tokens  ${bar(share)}`)
  return answer
}

/** @param {Client} client @param {{ ref_id: string }} preview */
async function readPages(client, { ref_id }) {
  heading('Nothing is lost: every part is one call away')
  asked('get_cached_result', { ref_id: `${ref_id.slice(0, 16)}…`, page: 3 })
  const third = await page(client, { ref_id, page: 3 })
  check(third.page === 3 && third.rows.length > 0, 'the third page')
  const orderNumbers = recordsOf(third).map(({ order }) => order)
  answered(
    `page 3 of ${number(third.total_pages)}: orders ${orderNumbers[0]} to ${orderNumbers.at(-1)}, ${third.preview_size} tokens`,
  )

  const items = []
  let pages = 1
  for (let number = 1; number <= pages; number++) {
    const answer = await page(client, { ref_id, page: number, max_size: 20_000 })
    items.push(...recordsOf(answer))
    pages = answer.total_pages
  }
  check(JSON.stringify(items) === JSON.stringify(orders()), 'the whole file from its pages')
  seen(`all pages put together are the file, ${bold('to the last byte')}`)
}

/** @param {Client} client @param {{ ref_id: string }} preview */
async function ask(client, { ref_id }) {
  heading('A question instead of pages: which orders of Lisbon were above 500?')
  const sql =
    "select count(*) orders, round(sum(total), 2) total from items where city = 'Lisbon' and total > 500"
  asked('query_cached_result', { ref_id: `${ref_id.slice(0, 16)}…`, sql: `${sql.slice(0, 44)}…` })
  const { result, took } = await timed(() =>
    client.callTool({ name: 'query_cached_result', arguments: { ref_id, sql } }),
  )
  const answer = answerOf(result)
  const expected = orders().filter(({ city, total }) => city === 'Lisbon' && total > 500)
  const [count, total] = answer.rows?.[0] ?? []
  const sum = expected.reduce((sum, order) => sum + order.total, 0)
  check(count === expected.length && Math.abs(total - sum) < 0.01, 'the right answer')
  seen(`${number(count)} orders, ${number(total)} in all, after ${seconds(took)}`)
  const tokens = Math.ceil(JSON.stringify(answer).length / 4)
  detail(`about ${tokens} tokens, and the answer is a reference that can be passed on or asked again`)
}

/**
 * A list of records comes as a table: the names of its fields once, then a row for each. A text among the rows says what is left out.
 * @param {{ columns: string[], rows: unknown[] }} answer @returns {any[]}
 */
function recordsOf({ columns, rows }) {
  return rows.flatMap(row =>
    Array.isArray(row) ? [Object.fromEntries(columns.map((name, at) => [name, row[at]]))] : [],
  )
}

/** @param {Client} client @param {Record<string, unknown>} args */
async function page(client, args) {
  return answerOf(await client.callTool({ name: 'get_cached_result', arguments: args }))
}

/** A list as business systems export it. The same each time, so that it can be compared. */
function orders() {
  const cities = ['Lisbon', 'Osaka', 'Quito', 'Tromsø', 'Nairobi', 'Perth', 'Halifax']
  const goods = ['anvil', 'sextant', 'kite', 'loom', 'barometer']
  return Array.from({ length: ORDERS }, (_, i) => ({
    order: i + 1,
    placed: new Date(Date.UTC(2026, 0, 1) + i * 3_600_000).toISOString(),
    city: cities[(i * 5) % cities.length],
    item: goods[(i * 3) % goods.length],
    quantity: ((i * 7) % 9) + 1,
    total: Math.round(((i * 7919) % 90_000) + 1_000) / 100,
  }))
}

/** @param {string} server its package @param {string[]} args */
async function connect(server, args) {
  const store = join(folder, 'cache.db')
  const options = ['--async-timeout', '2s', '--store', store, '--log-level', 'warn']
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [WRAP, 'wrap', ...options, '--', process.execPath, entryOf(server), ...args],
    stderr: 'pipe',
  })
  transport.stderr?.on('data', chunk => {
    wrapperLog += chunk
  })
  const client = new Client({ name: 'mcp-refcache-demo', version: '1.0.0' })
  clients.push(client)
  await client.connect(transport)
  return client
}

/** @param {string} server */
function entryOf(server) {
  const require = createRequire(import.meta.url)
  try {
    const manifest = require.resolve(`${server}/package.json`)
    return join(dirname(manifest), Object.values(require(manifest).bin)[0])
  } catch {
    throw new Error(`The demo needs the package ${server}: run npm ci in a clone of this project.`)
  }
}

/** @param {{ structuredContent?: unknown }} result @returns {any} */
function answerOf({ structuredContent }) {
  check(typeof structuredContent === 'object' && structuredContent !== null, 'a structured answer')
  return structuredContent
}

/** @param {boolean} condition @param {string} what @returns {asserts condition} */
function check(condition, what) {
  if (!condition) throw new Error(`The demo did not see what it promised: ${what}.`)
}

/** @template T @param {() => Promise<T>} work */
async function timed(work) {
  const from = performance.now()
  const result = await work()
  return { result, took: performance.now() - from }
}

/** @param {number} ms */
function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`
}

/** @param {number} value */
function number(value) {
  return value.toLocaleString('en-US')
}

try {
  await demo()
} catch (error) {
  process.exitCode = 1
  line()
  line(`  ${red('✗')} ${/** @type {Error} */ (error).message}`)
  if (wrapperLog) line(dim(wrapperLog))
} finally {
  await Promise.all(clients.map(client => client.close()))
  rmSync(folder, { recursive: true, force: true })
}
