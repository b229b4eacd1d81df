import { accounts, packages, readings, settings, sites, stock } from './generated.ts'
import { one, type Question, rows, sum, tally } from './question.ts'

const byName = <T extends { name: string }>(list: readonly T[]) =>
  new Map(list.map(item => [item.name, item]))
const services = Object.entries(settings.services)

/** Maps of records, lists side by side, lists of lists, names that meet, documents, several texts. */
export const ABOUT_OTHER_VALUES: readonly Question[] = [
  {
    of: 'sites',
    asks: 'Which site has the most visits? All that share the first place.',
    calls: [
      { sql: 'select key, visits from items where visits = (select max(visits) from items) order by key' },
    ],
    answer: () => {
      const most = Math.max(...Object.values(sites).map(site => site.visits))
      return rows(
        Object.entries(sites)
          .filter(([, site]) => site.visits === most)
          .map(([key, site]) => [key, site.visits] as const)
          .toSorted(([a], [b]) => (a < b ? -1 : 1)),
      )
    },
  },
  {
    of: 'sites',
    asks: 'How many sites without https end in .org, and whose are they?',
    calls: [
      {
        sql: "select owner, count(*) n from items where key like '%.org' and not https group by owner order by n desc, owner",
      },
    ],
    answer: () =>
      rows(
        tally(
          Object.entries(sites)
            .filter(([key, site]) => key.endsWith('.org') && !site.https)
            .map(([, site]) => site.owner),
        ),
      ),
  },
  {
    of: 'sites',
    asks: 'Which domain expires first?',
    calls: [{ sql: 'select key, expires from items order by expires, key limit 1' }],
    answer: () =>
      rows(
        Object.entries(sites)
          .map(([key, site]) => [key, site.expires] as const)
          .toSorted(([a, x], [b, y]) => (x < y || (x === y && a < b) ? -1 : 1))
          .slice(0, 1),
      ),
  },
  {
    of: 'sites',
    asks: 'In how many sites do visitors from Spain outnumber those from Portugal?',
    calls: [{ sql: "select count(*) from items where countries->>'ES' > countries->>'PT'" }],
    answer: () => one(Object.values(sites).filter(({ countries }) => countries.ES! > countries.PT!).length),
  },
  {
    of: 'sites',
    asks: 'Who owns cloud-259.com, and does it have https?',
    calls: [{ read: '#/cloud-259.com' }],
    answer: () => ({ says: [sites['cloud-259.com']!.owner, sites['cloud-259.com']!.expires] }),
  },
  {
    of: 'packages',
    asks: 'Which packages were removed?',
    calls: [{ sql: 'select name from before where name not in (select name from after) order by name' }],
    answer: () => {
      const after = byName(packages.after)
      return rows(
        packages.before
          .filter(({ name }) => !after.has(name))
          .map(({ name }) => [name])
          .toSorted(([a], [b]) => (a! < b! ? -1 : 1)),
      )
    },
  },
  {
    of: 'packages',
    asks: 'Which packages changed their version, from which to which?',
    calls: [
      {
        sql: 'select b.name, b.version, a.version from before b join after a using (name) where a.version <> b.version order by name',
      },
    ],
    answer: () => {
      const after = byName(packages.after)
      return rows(
        packages.before
          .flatMap(({ name, version }) => {
            const now = after.get(name)?.version
            return now === undefined || now === version ? [] : [[name, version, now] as const]
          })
          .toSorted(([a], [b]) => (a < b ? -1 : 1)),
      )
    },
  },
  {
    of: 'packages',
    asks: 'By how many bytes did everything grow, and what is new?',
    calls: [
      {
        sql: 'select (select sum(size) from after) - (select sum(size) from before), (select count(*) from after where name not in (select name from before))',
      },
    ],
    answer: () =>
      one(sum(packages.after.map(one => one.size)) - sum(packages.before.map(one => one.size)), 9),
  },
  {
    of: 'packages',
    asks: 'Which package grew most?',
    calls: [
      {
        sql: 'select name, a.size - b.size grown from after a join before b using (name) order by grown desc limit 1',
      },
    ],
    answer: () => {
      const before = byName(packages.before)
      return rows(
        packages.after
          .flatMap(({ name, size }) =>
            before.has(name) ? [[name, size - before.get(name)!.size] as const] : [],
          )
          .toSorted(([, a], [, b]) => b - a)
          .slice(0, 1),
      )
    },
  },
  {
    of: 'accounts',
    asks: 'Which account has the external number EXT-8850, by its own number and its login?',
    calls: [{ sql: "select id, name_2 from items where ID_2 = 'EXT-8850'" }],
    answer: () => one(151, 'user150'),
  },
  {
    of: 'accounts',
    asks: 'How many accounts has each group?',
    calls: [{ sql: 'select "group", count(*) n from items group by "group" order by n desc' }],
    answer: () => rows(tally(accounts.map(account => account.group as string))),
  },
  {
    of: 'accounts',
    asks: 'Who of Lisbon was seen first?',
    calls: [
      {
        sql: 'select id, "first seen" from items where "home.city" = \'Lisbon\' order by "first seen", id limit 1',
      },
    ],
    answer: () =>
      rows(
        accounts
          .filter(account => account['home.city'] === 'Lisbon')
          .map(account => [account.id as number, account['first seen'] as string] as const)
          .toSorted(([a, x], [b, y]) => (x < y || (x === y && a < b) ? -1 : 1))
          .slice(0, 1),
      ),
  },
  {
    of: 'accounts',
    asks: 'How many different values has "order", and which occurs most?',
    calls: [
      {
        sql: 'select "order", count(*) n, (select count(distinct "order") from items) from items group by 1 order by n desc, 1 limit 1',
      },
    ],
    answer: () => {
      const counts = tally(accounts.map(account => account.order as number))
      return one(...counts[0]!, counts.length)
    },
  },
  {
    of: 'readings',
    asks: 'Which probe has the highest average, and what is it?',
    calls: [{ sql: 'select c2, round(avg(c3), 4) a from items group by c2 order by a desc limit 1' }],
    answer: () => {
      const probes = [...new Set(readings.map(row => row[1] as string))]
      const averages = probes.map(probe => {
        const own = readings.filter(row => row[1] === probe).map(row => row[2] as number)
        return [probe, Math.round((sum(own) / own.length) * 10_000) / 10_000] as const
      })
      return rows(averages.toSorted(([, a], [, b]) => b - a).slice(0, 1))
    },
  },
  {
    of: 'readings',
    asks: 'How many readings of probe3 in July’s last week have a last number above 90?',
    calls: [{ sql: "select count(*) from items where c2 = 'probe3' and c1 >= '2026-07-25' and c4 > 90" }],
    answer: () =>
      one(
        readings.filter(
          ([day, probe, , last]) => probe === 'probe3' && day! >= '2026-07-25' && Number(last) > 90,
        ).length,
      ),
  },
  {
    of: 'readings',
    asks: 'What stands in the hundredth row?',
    calls: [{ read: '#/99' }],
    answer: () => ({ says: [`"${readings[99]![0]}"`, `"${readings[99]![1]}"`] }),
  },
  {
    of: 'settings',
    asks: 'Which services want more than 3,000 MB of memory?',
    calls: [
      { sql: "select key, limits->>'memory_mb' mb from services where mb > 3000 order by mb desc, key" },
    ],
    answer: () =>
      rows(
        services
          .map(([key, { limits }]) => [key, limits.memory_mb] as const)
          .filter(([, mb]) => mb > 3_000)
          .toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)),
      ),
  },
  {
    of: 'settings',
    asks: 'How many services depend on billing?',
    calls: [{ sql: "select count(*) from services, json_each(depends_on) d where d.value = 'billing'" }],
    answer: () => one(services.filter(([, { depends_on }]) => depends_on.includes('billing')).length),
  },
  {
    of: 'settings',
    asks: 'How many replicas run in all, and how many thousandths of a CPU do they get together?',
    calls: [{ sql: "select sum(replicas), sum(replicas * number(limits->>'cpu')) from services" }],
    answer: () =>
      one(
        sum(services.map(([, service]) => service.replicas)),
        sum(services.map(([, service]) => service.replicas * Number.parseInt(service.limits.cpu, 10))),
      ),
  },
  {
    of: 'settings',
    asks: 'When does the maintenance window begin?',
    calls: [{ sql: "select maintenance->>'$.window.day', maintenance->>'$.window.from' from root" }],
    answer: () => one('Sunday', '02:00'),
  },
  {
    of: 'settings',
    asks: 'Where in the features does the value 35 stand?',
    calls: [{ sql: 'select t.path, t.key from root, json_tree(features) t where t.value = 35' }],
    answer: () => one('$.beta', 'rollout_percent'),
  },
  {
    of: 'stock',
    asks: 'Which five warehouses have the largest capacity?',
    calls: [
      {
        sql: 'select code, capacity from rows order by number(capacity) desc, code limit 5',
        part: '#/content/1',
      },
    ],
    answer: () =>
      rows(
        stock.warehouses
          .toSorted((a, b) => b.capacity - a.capacity || (a.code < b.code ? -1 : 1))
          .slice(0, 5)
          .map(({ code, capacity }) => [code, String(capacity)]),
      ),
  },
  {
    of: 'stock',
    asks: 'How many units left the house in all?',
    calls: [{ sql: 'select sum(units) from items where units < 0', part: '#/content/2' }],
    answer: () => one(sum(stock.moves.filter(({ units }) => units < 0).map(({ units }) => units))),
  },
  {
    of: 'stock',
    asks: 'Which city got the most units, over both tables?',
    calls: [
      {
        sql: 'select city, sum(units) n from items m join warehouses w on w.code = m.warehouse group by city order by n desc limit 1',
        part: '#/content/2',
        tables: { warehouses: '#/content/1' },
      },
    ],
    answer: () => {
      const city = new Map(stock.warehouses.map(one => [one.code, one.city]))
      const units = new Map<string, number>()
      for (const move of stock.moves) {
        const of = city.get(move.warehouse) as string
        units.set(of, (units.get(of) ?? 0) + move.units)
      }
      return rows([...units].toSorted(([, a], [, b]) => b - a).slice(0, 1))
    },
  },
]
