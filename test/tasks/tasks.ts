import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Agent, Answer } from './agent.ts'
import * as folder from './folder.ts'

/** Where a task is done. */
export interface Place {
  readonly folder: string
  /** How long slow work takes, in seconds. */
  readonly slow: number
  /** Somebody else changes what the memory server keeps. */
  writeGraph(when: 'earlier' | 'later'): void
}

export interface Task {
  readonly what: string
  readonly server: 'filesystem' | 'memory' | 'everything' | 'orders'
  /** As an agent does it that knows the tools, the instructions, and what it read. Gives the outcome, and what it should be. */
  readonly solve: (agent: Agent, place: Place) => Promise<readonly [outcome: unknown, wanted: unknown]>
  /** The same without references. */
  readonly direct: (agent: Agent, place: Place) => Promise<unknown>
  /** It takes seconds of the processor, or waits for slow work. */
  readonly isLong?: true
  /** Its work is slow: the wrapper gives handles soon. */
  readonly isSlow?: true
  /** More than for all tasks is asked of it. */
  readonly most?: { readonly calls: number; readonly tokens: number }
}

const query = (agent: Agent, ref_id: string, sql: string, tables?: Record<string, string>) =>
  agent.call('query_cached_result', { ref_id, sql, ...(tables ? { tables } : {}) })
const search = (agent: Agent, ref_id: string, text: string, context?: number) =>
  agent.call('query_cached_result', { ref_id, search: text, ...(context === undefined ? {} : { context }) })
/** Line and text of the first match. */
const match = ({ body }: Answer): [number, string] => {
  const [, line, text] = /^(\d+): (.*)$/m.exec(body.matches[0]) as unknown as [string, string, string]
  return [Number(line), text]
}
const inFolder = (place: Place, name: string) => ({ path: join(place.folder, name) })

export const TASKS: readonly Task[] = [
  {
    what: 'when was a disk full, in a log of 5 MB?',
    isLong: true,
    server: 'filesystem',
    async solve(agent, place) {
      const { body } = await agent.call('read_text_file', inFolder(place, 'app.log'))
      const [, line] = match(await search(agent, body.ref_id, 'disk'))
      return [line.split(' ')[0], folder.DISK_FULL_AT]
    },
    direct: (agent, place) => agent.call('read_text_file', inFolder(place, 'app.log')),
  },
  {
    what: 'how many orders of Lisbon are unpaid, in {items, metadata}?',
    server: 'orders',
    async solve(agent) {
      const { body } = await agent.call('orders')
      const answer = await query(
        agent,
        body.ref_id,
        "select count(*) from items where city = 'Lisbon' and not paid",
      )
      return [answer.body.rows, [[ORDERS.filter(order => order.city === 'Lisbon' && !order.paid).length]]]
    },
    direct: agent => agent.call('orders'),
  },
  {
    what: 'what changed between two answers?',
    isLong: true,
    server: 'memory',
    async solve(agent, place) {
      place.writeGraph('earlier')
      const earlier = await agent.call('read_graph')
      place.writeGraph('later')
      const now = await agent.call('read_graph')
      const sql = `select e.name from entities e left join earlier_entities o using (name)
        where o.name is null or o.observations <> e.observations order by e.name`
      const asked = await query(agent, now.body.ref_id, sql, { earlier: earlier.body.ref_id })
      return [asked.body.rows, [['newcomer'], ['person_311'], ['person_77']]]
    },
    async direct(agent) {
      await agent.call('read_graph')
      await agent.call('read_graph')
    },
  },
  {
    what: 'which rows are outliers, in a CSV of 40,000?',
    isLong: true,
    server: 'filesystem',
    async solve(agent, place) {
      const { body } = await agent.call('read_text_file', inFolder(place, 'sales.csv'))
      const sql =
        'select id from rows where number(amount) > 20 * (select avg(number(amount)) from rows) order by number(id)'
      const answer = await query(agent, body.ref_id, sql)
      return [answer.body.rows.flat().map(Number), folder.OUTLIERS]
    },
    direct: (agent, place) => agent.call('read_text_file', inFolder(place, 'sales.csv')),
  },
  {
    what: 'change a row of a document of 300 KB, write it back',
    isLong: true,
    server: 'filesystem',
    async solve(agent, place) {
      const { body } = await agent.call('read_text_file', { ...inFolder(place, 'plan.json'), _as_ref: true })
      const found = await query(
        agent,
        body.ref_id,
        "select rowid - 1 position, state from rows where title like 'Item 1703 %'",
      )
      const [[position]] = found.body.rows
      const edits = [{ op: 'replace', path: `/rows/${position}/state`, value: 'settled' }]
      const edited = await agent.call('edit_cached_result', { ref_id: body.ref_id, edits })
      const file = { ...inFolder(place, 'plan.json'), content: edited.body.ref_id }
      await agent.call('write_file', file)
      const wanted = folder.documentText.replace(
        /("title": "Item 1703 [^"]*",\s*"state": )"\w+"/,
        '$1"settled"',
      )
      return [readFileSync(join(place.folder, 'plan.json'), 'utf8'), wanted]
    },
    async direct(agent, place) {
      await agent.call('read_text_file', inFolder(place, 'plan.json'))
      agent.write(folder.documentText)
    },
    most: { calls: 5, tokens: 3_000 },
  },
  {
    what: 'change one setting in a file of 33 KB, exactly',
    server: 'filesystem',
    async solve(agent, place) {
      const { body } = await agent.call('read_text_file', {
        ...inFolder(place, 'settings.ts'),
        _as_ref: true,
      })
      const [, line] = match(await search(agent, body.ref_id, 'searchRetries'))
      const edits = [{ oldText: line, newText: line.replace('value: 3', 'value: 5') }]
      await agent.call('edit_file', { ...inFolder(place, 'settings.ts'), edits })
      const wanted = folder.settingsText.replace('searchRetries = { value: 3,', 'searchRetries = { value: 5,')
      return [readFileSync(join(place.folder, 'settings.ts'), 'utf8'), wanted]
    },
    async direct(agent, place) {
      const { text } = await agent.call('read_text_file', inFolder(place, 'settings.ts'))
      const line = text.split('\n').find(one => one.includes('searchRetries')) as string
      agent.write(`${line}\n${line}`)
    },
  },
  {
    what: 'pass 2 MB from one tool to another',
    isLong: true,
    server: 'filesystem',
    async solve(agent, place) {
      const { body } = await agent.call('read_text_file', inFolder(place, 'big.txt'))
      await agent.call('write_file', { ...inFolder(place, 'copy.txt'), content: body.ref_id })
      return [readFileSync(join(place.folder, 'copy.txt'), 'utf8'), folder.bigText]
    },
    async direct(agent, place) {
      await agent.call('read_text_file', inFolder(place, 'big.txt'))
      agent.write(folder.bigText)
    },
  },
  {
    what: 'one function of a file of 600 lines',
    server: 'filesystem',
    async solve(agent, place) {
      const { body } = await agent.call('read_text_file', { ...inFolder(place, 'long.ts'), _as_ref: true })
      const found = await search(agent, body.ref_id, '/^export function|^}/')
      // Where it begins, and the next line that ends a function.
      const lines = (found.body.matches as string[]).map(
        one => /^(\d+): (.*)$/.exec(one) as unknown as string[],
      )
      const first = lines.findIndex(([, , text]) => text?.includes('parseInterval'))
      const [from, to] = [lines[first]?.[1], lines[first + 1]?.[1]]
      const part = await agent.call('get_cached_result', { ref_id: `${body.ref_id}#L${from}-L${to}` })
      return [part.body.value, folder.FUNCTION]
    },
    direct: (agent, place) => agent.call('read_text_file', inFolder(place, 'long.ts')),
  },
  {
    what: 'count and find files in a tree of 2,000',
    isLong: true,
    server: 'filesystem',
    async solve(agent, place) {
      const { body } = await agent.call('directory_tree', inFolder(place, 'tree'))
      const sql = `select (select count(*) from items, json_tree(children) t where t.key = 'name' and t.value like '%.test.ts')`
      const tests = await query(agent, body.ref_id, sql)
      const found = await search(agent, body.ref_id, 'config.schema.json')
      const [, at] = /^\/(\d+): /.exec(found.body.matches[0]) as unknown as [string, string]
      const where = await query(
        agent,
        body.ref_id,
        `select items.name || '/' || (t.value->>'name') from items, json_each(children) t where items.rowid = ${Number(at) + 1} and t.value like '%config.schema.json%'`,
      )
      return [
        [tests.body.rows, where.body.rows],
        [[[folder.TREE.tests]], [[folder.TREE.schema.split('/').slice(0, 2).join('/')]]],
      ]
    },
    direct: (agent, place) => agent.call('directory_tree', inFolder(place, 'tree')),
  },
  {
    what: 'slow work, other calls beside it',
    isLong: true,
    server: 'everything',
    isSlow: true,
    async solve(agent, { slow }) {
      const started = await agent.call('trigger-long-running-operation', { duration: slow, steps: 10 })
      const echo = await agent.call('echo', { message: 'meanwhile' })
      const sum = await agent.call('get-sum', { a: 19, b: 23 })
      const outcome = await untilDone(agent, started)
      return [
        [echo.text, sum.text, outcome.text].map(text => /meanwhile|42|completed/.exec(text)?.[0]),
        ['meanwhile', '42', 'completed'],
      ]
    },
    async direct(agent, { slow }) {
      if (slow > 60) agent.failure = 'the client gives up after 60 s'
      await agent.call('trigger-long-running-operation', { duration: Math.min(slow, 5), steps: 10 })
      await agent.call('echo', { message: 'meanwhile' })
      await agent.call('get-sum', { a: 19, b: 23 })
    },
  },
  {
    what: 'an image',
    isLong: true,
    server: 'everything',
    async solve(agent) {
      const { result } = await agent.call('get-tiny-image')
      return [result.content.some(block => block.type === 'image' && block.data.length > 1_000), true]
    },
    direct: agent => agent.call('get-tiny-image'),
  },
  {
    what: 'an error that comes late',
    isLong: true,
    server: 'orders',
    isSlow: true,
    async solve(agent) {
      const outcome = await untilDone(agent, await agent.call('yearly_report', { year: 2025 }))
      return [
        [outcome.result.isError, outcome.text.includes('quota of project 7')],
        [true, true],
      ]
    },
    direct: agent => agent.call('yearly_report', { year: 2025 }),
  },
  {
    what: 'the same call after the data changed',
    server: 'filesystem',
    async solve(agent, place) {
      const state = async () => {
        const { body } = await agent.call('read_text_file', inFolder(place, 'status.json'))
        const { body: answer } = await query(agent, body.ref_id, 'select state from builds where build = 17')
        return answer.rows[0][0]
      }
      writeFileSync(join(place.folder, 'status.json'), folder.statusText('running'))
      const before = await state()
      writeFileSync(join(place.folder, 'status.json'), folder.statusText('done'))
      return [
        [before, await state()],
        ['running', 'done'],
      ]
    },
    async direct(agent, place) {
      await agent.call('read_text_file', inFolder(place, 'status.json'))
      await agent.call('read_text_file', inFolder(place, 'status.json'))
    },
  },
  {
    what: 'a sum over all pages of an API',
    server: 'orders',
    async solve(agent) {
      const refs: string[] = []
      for (let cursor: string | undefined, isLast = false; !isLast; ) {
        const page = await agent.call('list_orders', { ...(cursor ? { cursor } : {}), _as_ref: true })
        refs.push(page.body.ref_id)
        const next = /"nextCursor":"(\d+)"/.exec(page.text)?.[1]
        isLast = next === undefined
        cursor = next
      }
      const [first, ...more] = refs as [string, ...string[]]
      const tables = Object.fromEntries(more.map((ref, at) => [`p${at + 2}`, ref]))
      const all = ['items', ...Object.keys(tables)]
        .map(table => `select amount from ${table}`)
        .join(' union all ')
      const answer = await query(agent, first, `select round(sum(amount), 2) from (${all})`, tables)
      const total = ORDERS.reduce((sum, { amount }) => sum + amount, 0)
      return [answer.body.rows, [[Math.round(total * 100) / 100]]]
    },
    async direct(agent) {
      for (let cursor: string | undefined = '0'; cursor !== undefined; ) {
        const page: Answer = await agent.call('list_orders', { cursor })
        cursor = page.body.nextCursor
      }
    },
  },
  {
    what: 'a whole source file',
    server: 'filesystem',
    async solve(agent, place) {
      const { text } = await agent.call('read_text_file', inFolder(place, 'source.ts'))
      return [text, folder.sourceText]
    },
    direct: (agent, place) => agent.call('read_text_file', inFolder(place, 'source.ts')),
  },
  {
    what: 'two references in one call',
    server: 'filesystem',
    async solve(agent, place) {
      const target = await agent.call('read_text_file', { ...inFolder(place, 'target.ts'), _as_ref: true })
      const source = await agent.call('read_text_file', { ...inFolder(place, 'new-body.ts'), _as_ref: true })
      const begins = await search(agent, target.body.ref_id, '/^export function resize|^}/')
      const [from, to] = (begins.body.matches as string[]).slice(-2).map(one => Number.parseInt(one, 10)) as [
        number,
        number,
      ]
      const { total_lines } = source.body
      const oldText = `${target.body.ref_id}#L${from + 1}-L${to - 1}`
      const newText = `${source.body.ref_id}#L2-L${total_lines}`
      await agent.call('edit_file', { ...inFolder(place, 'target.ts'), edits: [{ oldText, newText }] })
      return [readFileSync(join(place.folder, 'target.ts'), 'utf8'), folder.TWO.result]
    },
    async direct(agent, place) {
      await agent.call('read_text_file', inFolder(place, 'target.ts'))
      await agent.call('read_text_file', inFolder(place, 'new-body.ts'))
      agent.write(`${folder.TWO.target.slice(-1_500)}${folder.TWO.source}`)
    },
  },
]

/** As instructions say: a handle is asked for until its work is over. */
async function untilDone(agent: Agent, first: Answer): Promise<Answer> {
  let answer = first
  while (answer.body?.status === 'processing' || answer.body?.status === 'pending') {
    answer = await agent.call('get_cached_result', { ref_id: answer.body.ref_id })
  }
  return answer
}

const CITIES = ['Lisbon', 'Porto', 'Faro', 'Braga']
/** As the server has them. */
const ORDERS = Array.from({ length: 900 }, (_, at) => ({
  city: CITIES[(at * 7) % 4],
  amount: ((at * 7919) % 90_000) / 100,
  paid: at % 7 !== 0,
}))
