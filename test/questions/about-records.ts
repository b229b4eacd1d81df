import { orders, payments, sensors, tickets } from './generated.ts'
import { days, one, type Question, rows, sum, tally } from './question.ts'

const dollars = (price: string) => (/\d/.test(price) ? Number(price.replace(/[$,]/g, '')) : undefined)
const median = (numbers: readonly number[]) => {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] as number
}

/** Lists of records: bare, in an envelope of metadata, in a wrapper, wide, and of more than a megabyte. */
export const ABOUT_RECORDS: readonly Question[] = [
  {
    of: 'orders',
    asks: 'How many orders spent more than their budget?',
    calls: [{ sql: 'select count(*) from items where spent > budget' }],
    answer: () => one(orders.filter(order => order.spent > order.budget).length),
  },
  {
    of: 'orders',
    asks: 'Which five orders went furthest over their budget?',
    calls: [
      {
        sql: 'select id, spent - budget over from items where spent > budget order by over desc, id limit 5',
      },
    ],
    answer: () =>
      rows(
        orders
          .map(order => [order.id, order.spent - order.budget] as const)
          .toSorted(([a, x], [b, y]) => y - x || a - b)
          .slice(0, 5),
      ),
  },
  {
    of: 'orders',
    asks: 'How many orders cannot be filled from stock, by city?',
    calls: [
      {
        sql: 'select city, count(*) n from items where quantity > stock group by city order by n desc, city',
      },
    ],
    answer: () => rows(tally(orders.filter(order => order.quantity > order.stock).map(order => order.city))),
  },
  {
    of: 'orders',
    asks: 'What is the longest time from order to shipment, and how many took that long?',
    calls: [
      {
        sql: `with d as (select julianday(shipped_at) - julianday(placed_at) days from items where shipped_at is not null)
              select max(days), (select count(*) from d where days = (select max(days) from d)) from d`,
      },
    ],
    answer: () => {
      const all = orders.flatMap(({ placed_at, shipped_at }) =>
        shipped_at ? [days(placed_at, shipped_at)] : [],
      )
      const longest = Math.max(...all)
      return one(longest, all.filter(time => time === longest).length)
    },
  },
  {
    of: 'orders',
    asks: 'How long does a shipment take on average, in days?',
    calls: [{ sql: 'select avg(julianday(shipped_at) - julianday(placed_at)) from items' }],
    answer: () => {
      const all = orders.flatMap(({ placed_at, shipped_at }) =>
        shipped_at ? [days(placed_at, shipped_at)] : [],
      )
      return one(sum(all) / all.length)
    },
  },
  {
    of: 'orders',
    asks: 'Which orders were never shipped? How many, and the first and last placed of them?',
    calls: [{ sql: 'select count(*), min(placed_at), max(placed_at) from items where shipped_at is null' }],
    answer: () => {
      const open = orders.filter(order => order.shipped_at === null).map(order => order.placed_at)
      return one(open.length, open.toSorted()[0] as string, open.toSorted().at(-1) as string)
    },
  },
  {
    of: 'orders',
    asks: 'What is the sum of all prices?',
    calls: [{ sql: 'select sum(number(price)) from items' }],
    answer: () => one(sum(orders.map(order => dollars(order.price) ?? 0))),
  },
  {
    of: 'orders',
    asks: 'Which orders of Lisbon cost more than $3,900.00?',
    calls: [
      {
        sql: "select id, price from items where city = 'Lisbon' and number(price) > 3900 order by number(price) desc",
      },
    ],
    answer: () =>
      rows(
        orders
          .filter(order => order.city === 'Lisbon' && (dollars(order.price) ?? 0) > 3_900)
          .toSorted((a, b) => (dollars(b.price) as number) - (dollars(a.price) as number))
          .map(order => [order.id, order.price]),
      ),
  },
  {
    of: 'orders',
    asks: 'How many prices are no number at all?',
    calls: [{ sql: 'select count(*) from items where number(price) is null' }],
    answer: () => one(orders.filter(order => dollars(order.price) === undefined).length),
  },
  {
    of: 'orders',
    asks: 'How many different customers are there, and how many of them are VIPs?',
    calls: [
      {
        sql: "select count(distinct customer->>'id'), count(distinct case when customer->>'vip' then customer->>'id' end) from items",
      },
    ],
    answer: () =>
      one(
        new Set(orders.map(order => order.customer.id)).size,
        new Set(orders.filter(order => order.customer.vip).map(order => order.customer.id)).size,
      ),
  },
  {
    of: 'orders',
    asks: 'Which customers have the most orders? All that share the first place.',
    calls: [
      {
        sql: `with c as (select customer->>'name' name, count(*) n from items group by customer->>'id')
              select name, n from c where n = (select max(n) from c) order by name`,
      },
    ],
    answer: () => {
      const names = new Map(orders.map(order => [order.customer.id, order.customer.name]))
      const counts = tally(orders.map(order => order.customer.id))
      const most = counts[0]![1]
      return rows(
        counts
          .filter(([, n]) => n === most)
          .map(([id, n]) => [names.get(id) as string, n] as const)
          .toSorted(([a], [b]) => (a < b ? -1 : 1)),
      )
    },
  },
  {
    of: 'orders',
    asks: 'How often does each tag occur?',
    calls: [
      { sql: 'select t.value, count(*) n from items, json_each(items.tags) t group by 1 order by n desc, 1' },
    ],
    answer: () => rows(tally(orders.flatMap(order => order.tags))),
  },
  {
    of: 'orders',
    asks: 'How many orders are both fragile and express?',
    calls: [
      {
        sql: `select count(*) from items where exists (select 1 from json_each(tags) where value = 'fragile')
              and exists (select 1 from json_each(tags) where value = 'express')`,
      },
    ],
    answer: () =>
      one(orders.filter(({ tags }) => tags.includes('fragile') && tags.includes('express')).length),
  },
  {
    of: 'orders',
    asks: 'Which product was sold most, over all lines of all orders?',
    calls: [
      {
        sql: "select l.value->>'sku' sku, sum(l.value->>'count') n from items, json_each(items.lines) l group by 1 order by n desc, 1 limit 1",
      },
    ],
    answer: () => {
      const sold = new Map<string, number>()
      for (const { sku, count } of orders.flatMap(order => order.lines))
        sold.set(sku, (sold.get(sku) ?? 0) + count)
      return rows([...sold].toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, 1))
    },
  },
  {
    of: 'orders',
    asks: 'How many orders were placed in each quarter?',
    calls: [
      {
        sql: "select (strftime('%m', placed_at) + 2) / 3 quarter, count(*) from items group by 1 order by 1",
      },
    ],
    answer: () =>
      rows(
        tally(orders.map(order => Math.ceil(Number(order.placed_at.slice(5, 7)) / 3))).toSorted(
          ([a], [b]) => a - b,
        ),
      ),
  },
  {
    of: 'orders',
    asks: 'What does the metadata say of the currency?',
    calls: [{ read: '#/metadata' }],
    answer: () => ({ says: ['USD', '900'] }),
  },
  {
    of: 'tickets',
    asks: 'How many tickets are in each state?',
    calls: [{ sql: 'select state, count(*) n from tickets group by state order by n desc, state' }],
    answer: () => rows(tally(tickets.map(ticket => ticket.state))),
  },
  {
    of: 'tickets',
    asks: 'How many hours did the slowest closed ticket take, and which was it?',
    calls: [
      {
        sql: 'select key, round((julianday(closed_at) - julianday(opened_at)) * 24) h from tickets where closed_at is not null order by h desc, key limit 1',
      },
    ],
    answer: () =>
      rows(
        tickets
          .flatMap(({ key, opened_at, closed_at }) =>
            closed_at ? [[key, Math.round(days(opened_at, closed_at) * 24)] as const] : [],
          )
          .toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
          .slice(0, 1),
      ),
  },
  {
    of: 'tickets',
    asks: 'Who has the most points in open or blocked tickets?',
    calls: [
      {
        sql: "select assignee, sum(points) n from tickets where state <> 'closed' and assignee is not null group by 1 order by n desc, 1 limit 3",
      },
    ],
    answer: () => {
      const points = new Map<string, number>()
      for (const { assignee, state, points: n } of tickets) {
        if (assignee && state !== 'closed') points.set(assignee, (points.get(assignee) ?? 0) + n)
      }
      return rows([...points].toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, 3))
    },
  },
  {
    of: 'tickets',
    asks: 'How many tickets have nobody assigned?',
    calls: [{ sql: 'select count(*) from tickets where assignee is null' }],
    answer: () => one(tickets.filter(ticket => ticket.assignee === null).length),
  },
  {
    of: 'tickets',
    asks: 'Which labels are there, and on how many tickets is each?',
    calls: [
      {
        sql: "select l.value->>'name' label, count(distinct t.key) n from tickets t, json_each(t.labels) l group by 1 order by n desc, 1",
      },
    ],
    answer: () => rows(tally(tickets.flatMap(({ labels }) => [...new Set(labels.map(label => label.name))]))),
  },
  {
    of: 'tickets',
    asks: 'How many tickets opened before June were still open on the first of July?',
    calls: [
      {
        sql: "select count(*) from tickets where opened_at < '2026-06-01' and (closed_at is null or closed_at >= '2026-07-01')",
      },
    ],
    answer: () =>
      one(
        tickets.filter(
          ({ opened_at, closed_at }) =>
            opened_at < '2026-06-01' && (closed_at === null || closed_at >= '2026-07-01'),
        ).length,
      ),
  },
  {
    of: 'sensors',
    asks: 'Which stations report an error, and which?',
    calls: [{ sql: 'select station, last_error from items where last_error is not null order by station' }],
    answer: () => rows(sensors.flatMap(row => (row.last_error ? [[row.station!, row.last_error]] : []))),
  },
  {
    of: 'sensors',
    asks: 'Which columns are no measurement, and in how many rows does each have a value?',
    calls: [{ sql: "select name, rows from columns where name not like 'm\\_%' escape '\\' order by name" }],
    answer: () =>
      rows([
        ['battery_volts', 80],
        ['firmware', 80],
        ['last_error', 9],
        ['station', 80],
      ]),
  },
  {
    of: 'sensors',
    asks: 'Where is m_211 higher than m_212, and how often?',
    calls: [{ sql: 'select count(*) from items where m_211 > m_212' }],
    answer: () => one(sensors.filter(row => row.m_211! > row.m_212!).length),
  },
  {
    of: 'sensors',
    asks: 'What is the average battery by firmware?',
    calls: [
      { sql: 'select firmware, round(avg(battery_volts), 3) from items group by firmware order by firmware' },
    ],
    answer: () =>
      rows(
        ['1.10', '1.2', '1.3'].map(firmware => {
          const volts = sensors
            .filter(row => row.firmware === firmware)
            .map(row => row.battery_volts as number)
          return [firmware, Math.round((sum(volts) / volts.length) * 1_000) / 1_000]
        }),
      ),
  },
  {
    of: 'payments',
    asks: 'Which payment is the largest?',
    calls: [{ sql: 'select id, merchant, amount from items order by amount desc limit 1' }],
    answer: () => one(6_544, payments[6_543]!.merchant, 10_000),
  },
  {
    of: 'payments',
    asks: 'What was paid in each country, in francs?',
    calls: [
      {
        sql: "select country, round(sum(amount), 2) from items where currency = 'CHF' group by country order by country",
      },
    ],
    answer: () =>
      rows(
        ['DE', 'ES', 'FR', 'IT', 'PT'].map(country => [
          country,
          Math.round(
            sum(payments.filter(p => p.country === country && p.currency === 'CHF').map(p => p.amount)) * 100,
          ) / 100,
        ]),
      ),
  },
  {
    of: 'payments',
    asks: 'What is the median amount?',
    calls: [
      { sql: 'select amount from items order by amount limit 1 offset (select count(*) / 2 from items)' },
    ],
    answer: () => one(median(payments.map(payment => payment.amount))),
  },
  {
    of: 'payments',
    asks: 'Which day had the most payments with a risk over 0.9, and how many?',
    calls: [
      {
        sql: 'select date(at) day, count(*) n from items where risk > 0.9 group by day order by n desc, day limit 1',
      },
    ],
    answer: () =>
      rows(
        tally(payments.filter(payment => payment.risk > 0.9).map(payment => payment.at.slice(0, 10))).slice(
          0,
          1,
        ),
      ),
  },
  {
    of: 'payments',
    asks: 'How many invoices were paid more than once?',
    calls: [
      {
        sql: "select count(*) from (select substr(note, instr(note, 'invoice ') + 8, instr(note, ',') - instr(note, 'invoice ') - 8) invoice from items group by 1 having count(*) > 1)",
      },
    ],
    answer: () =>
      one(
        tally(payments.map(({ note }) => /invoice (\d+)/.exec(note)?.[1] as string)).filter(([, n]) => n > 1)
          .length,
      ),
  },
  {
    of: 'payments',
    asks: 'Which ten merchants got the most?',
    calls: [
      {
        sql: 'select merchant, round(sum(amount), 2) total from items group by 1 order by total desc limit 10',
      },
    ],
    answer: () => {
      const totals = new Map<string, number>()
      for (const { merchant, amount } of payments) totals.set(merchant, (totals.get(merchant) ?? 0) + amount)
      return rows(
        [...totals]
          .map(([merchant, total]) => [merchant, Math.round(total * 100) / 100] as const)
          .toSorted(([, a], [, b]) => b - a)
          .slice(0, 10),
      )
    },
  },
]
