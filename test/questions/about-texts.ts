import { events, log, sales } from './generated.ts'
import { one, type Question, rows, sum, tally } from './question.ts'
import { captured } from './results.ts'

const textOf = (name: string) =>
  captured(name)
    .content.map(block => (block.type === 'text' ? block.text : ''))
    .join('')

interface Node {
  name: string
  type: 'file' | 'directory'
  children?: Node[]
}
const flat = (nodes: readonly Node[]): Node[] => nodes.flatMap(node => [node, ...flat(node.children ?? [])])
const tree = () => JSON.parse(textOf('tree')) as Node[]
const graph = () =>
  JSON.parse(textOf('graph')) as {
    entities: { name: string; entityType: string; observations: string[] }[]
    relations: { from: string; to: string; relationType: string }[]
  }
const browser = () =>
  JSON.parse(textOf('browser')) as {
    name: string
    description: string
    inputSchema: { properties: Record<string, unknown>; required?: string[] }
    annotations: { readOnlyHint: boolean }
  }[]

/** CSV, JSON lines, logs, and what servers that people use answered. */
export const ABOUT_TEXTS: readonly Question[] = [
  {
    of: 'sales',
    asks: 'What is the revenue of each region?',
    calls: [{ sql: 'select region, round(sum(revenue), 2) from rows group by region order by region' }],
    answer: () =>
      rows(
        ['Nord', 'Ost', 'Süd', 'West'].map(region => [
          region,
          Math.round(
            sum(sales.filter(sale => sale.region === region).map(sale => Number(sale.revenue))) * 100,
          ) / 100,
        ]),
      ),
  },
  {
    of: 'sales',
    asks: 'How many sales say no number of units?',
    calls: [{ sql: "select count(*) from rows where units is null or units = ''" }],
    answer: () => one(sales.filter(sale => sale.units === '').length),
  },
  {
    of: 'sales',
    asks: 'Which sale of a Lamp "Oslo" had the highest revenue?',
    calls: [
      {
        sql: 'select day, region, revenue from rows where product = \'Lamp "Oslo"\' order by number(revenue) desc limit 1',
      },
    ],
    answer: () => {
      const [best] = sales
        .filter(sale => sale.product === 'Lamp "Oslo"')
        .toSorted((a, b) => Number(b.revenue) - Number(a.revenue))
      return one(best!.day, best!.region, best!.revenue)
    },
  },
  {
    of: 'sales',
    asks: 'How many customers called back, and how many sales have no note?',
    calls: [
      { sql: "select count(*) filter (where note like 'called back%'), count(*) - count(note) from rows" },
    ],
    answer: () =>
      one(
        sales.filter(sale => sale.note?.startsWith('called back')).length,
        sales.filter(sale => sale.note === undefined).length,
      ),
  },
  {
    of: 'sales',
    asks: 'In which month were most units of "Desk; oak" sold?',
    calls: [
      {
        sql: "select substr(day, 1, 7) m, sum(units) n from rows where product = 'Desk; oak' group by m order by n desc limit 1",
      },
    ],
    answer: () => {
      const units = new Map<string, number>()
      for (const { day, product, units: n } of sales) {
        if (product === 'Desk; oak') units.set(day.slice(0, 7), (units.get(day.slice(0, 7)) ?? 0) + Number(n))
      }
      return rows([...units].toSorted(([, a], [, b]) => b - a).slice(0, 1))
    },
  },
  {
    of: 'events',
    asks: 'How many errors of each code?',
    calls: [
      {
        sql: "select error->>'code' code, count(*) n from items where error is not null group by 1 order by n desc, 1",
      },
    ],
    answer: () => rows(tally(events.flatMap(({ error }) => (error ? [error.code] : [])))),
  },
  {
    of: 'events',
    asks: 'Which requests took more than nine seconds?',
    calls: [{ sql: 'select at, type, ms from items where ms > 9000 order by ms desc' }],
    answer: () =>
      rows(
        events
          .filter(({ ms = 0 }) => ms > 9_000)
          .toSorted((a, b) => b.ms! - a.ms!)
          .map(({ at, type, ms }) => [at, type, ms as number]),
      ),
  },
  {
    of: 'events',
    asks: 'How many lines could not be read?',
    calls: [{ sql: 'select count(*) from items where at is null' }],
    answer: () => one(7),
  },
  {
    of: 'events',
    asks: 'How many users bought, and who bought most often?',
    calls: [
      {
        sql: "select user, count(*) n, count(*) over () users from items where type = 'buy' group by user order by n desc, user limit 1",
      },
    ],
    answer: () => {
      const buyers = tally(events.filter(event => event.type === 'buy').map(event => event.user))
      return one(...buyers[0]!, buyers.length)
    },
  },
  {
    of: 'log',
    asks: 'What happened to the disk?',
    calls: [{ search: 'disk' }],
    answer: () => ({ says: ['disk /var full on node-7', '4322'] }),
  },
  {
    of: 'log',
    asks: 'How many errors has each service?',
    calls: [
      {
        sql: "select substr(text, instr(text, '[') + 1, instr(text, ']') - instr(text, '[') - 1) service, count(*) n from lines where text like '% ERROR %' group by 1 order by n desc, 1",
      },
    ],
    answer: () => rows(tally(log.filter(line => line.level === 'ERROR').map(line => line.service))),
  },
  {
    of: 'log',
    asks: 'Which slow query took longest, and in which line?',
    calls: [
      {
        sql: "select line, number(substr(text, instr(text, 'took '))) ms from lines where text like '%slow query%' order by ms desc, line limit 1",
      },
    ],
    answer: () =>
      rows(
        log
          .flatMap(({ message }, at) => {
            const ms = /slow query took (\d+)/.exec(message)?.[1]
            return ms === undefined ? [] : [[at + 1, Number(ms)] as const]
          })
          .toSorted(([a, x], [b, y]) => y - x || a - b)
          .slice(0, 1),
      ),
  },
  {
    of: 'log',
    asks: 'Which users met a timeout?',
    calls: [
      {
        sql: "select distinct number(substr(text, instr(text, '(user ') + 6)) u from lines where text regexp 'ERROR.*timeout' order by u",
      },
    ],
    answer: () =>
      rows(
        [
          ...new Set(
            log.flatMap(({ level, message }) =>
              level === 'ERROR' && message.includes('timeout')
                ? [Number(/user (\d+)/.exec(message)?.[1])]
                : [],
            ),
          ),
        ]
          .toSorted((a, b) => a - b)
          .map(user => [user]),
      ),
  },
  {
    of: 'directory',
    asks: 'Which file is the largest?',
    calls: [
      {
        sql: "select text from lines where text like '[FILE]%' order by number(substr(text, 35)) * (case when text like '%KB' then 1024 else 1 end) desc limit 1",
      },
    ],
    answer: () =>
      one(
        textOf('directory')
          .split('\n')
          .find(line => line.includes(' he.ts '))!,
      ),
  },
  {
    of: 'directory',
    asks: 'How large are all files together, as it says?',
    calls: [{ search: 'size' }],
    answer: () => ({ says: [textOf('directory').split('\n').at(-1)!] }),
  },
  {
    of: 'tree',
    asks: 'How many files and folders are there, at any depth?',
    calls: [
      {
        sql: "select t.value kind, count(*) + (select count(*) from items i where i.type = t.value) n from items, json_tree(children) t where t.key = 'type' group by 1 order by n desc",
      },
    ],
    answer: () => rows(tally(flat(tree()).map(node => node.type))),
  },
  {
    of: 'tree',
    asks: 'How many tests are there?',
    calls: [
      {
        sql: "select count(*) from items, json_tree(children) t where t.key = 'name' and t.value like '%.test.ts'",
      },
    ],
    answer: () => one(flat(tree()).filter(({ name }) => name.endsWith('.test.ts')).length),
  },
  {
    of: 'graph',
    asks: 'Who works on billing and lives in Lisbon?',
    calls: [
      {
        sql: `select name from entities where observations like '%Works on billing%' and observations like '%Lives in Lisbon%' order by name`,
      },
    ],
    answer: () =>
      rows(
        graph()
          .entities.filter(
            ({ observations }) =>
              observations.includes('Works on billing') && observations.includes('Lives in Lisbon'),
          )
          .map(({ name }) => [name])
          .toSorted(([a], [b]) => (a! < b! ? -1 : 1)),
      ),
  },
  {
    of: 'graph',
    asks: 'To whom do most people report?',
    calls: [
      {
        sql: `select "to", count(distinct "from") n from relations where relationType = 'reports_to' group by 1 order by n desc, 1 limit 1`,
      },
    ],
    answer: () => {
      const reports = new Set(
        graph()
          .relations.filter(({ relationType }) => relationType === 'reports_to')
          .map(({ from, to }) => `${to} ${from}`),
      )
      return rows(tally([...reports].map(pair => pair.split(' ')[0] as string)).slice(0, 1))
    },
  },
  {
    of: 'graph',
    asks: 'Who is on leave?',
    calls: [
      {
        sql: "select name from entities, json_each(observations) o where o.value like 'On leave%' order by name",
      },
    ],
    answer: () =>
      rows(
        graph()
          .entities.filter(({ observations }) => observations.some(text => text.startsWith('On leave')))
          .map(({ name }) => [name])
          .toSorted(([a], [b]) => (a! < b! ? -1 : 1)),
      ),
  },
  {
    of: 'browser',
    asks: 'Which tool takes most arguments?',
    calls: [
      {
        sql: "select name, (select count(*) from json_each(inputSchema, '$.properties')) n from items order by n desc, name limit 1",
      },
    ],
    answer: () =>
      rows(
        browser()
          .map(({ name, inputSchema }) => [name, Object.keys(inputSchema.properties).length] as const)
          .toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
          .slice(0, 1),
      ),
  },
  {
    of: 'browser',
    asks: 'Which tools only read?',
    calls: [{ sql: "select name from items where annotations->>'readOnlyHint' order by name" }],
    answer: () =>
      rows(
        browser()
          .filter(({ annotations }) => annotations.readOnlyHint)
          .map(({ name }) => [name])
          .toSorted(([a], [b]) => (a! < b! ? -1 : 1)),
      ),
  },
]
