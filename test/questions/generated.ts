import { Random } from './random.ts'

/** What the generated results say, as plain data: the answers are computed from these, by means of TypeScript alone. */

const CITIES = ['Lisbon', 'Porto', 'Faro', 'Braga', 'Évora', 'Coimbra']
const NAMES = ['Ada', 'Bob', 'Cleo', 'Dan', 'Eve', 'Finn', 'Gus', 'Hana', 'Ivo', 'Jun']
const TAGS = ['gift', 'fragile', 'express', 'bulk', 'return', 'vip']
const SERVICES = ['billing', 'auth', 'search', 'mail', 'stock']
const DAY = 24 * 60 * 60 * 1_000

const times = <T>(count: number, make: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => make(at))
const dayText = (time: number) => new Date(time).toISOString().slice(0, 10)
const dollars = (cents: number) =>
  `$${(cents / 100).toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`

export interface Order {
  id: number
  city: string
  customer: { id: number; name: string; vip?: true }
  placed_at: string
  shipped_at: string | null
  price: string
  spent: number
  budget: number
  quantity: number
  stock: number
  tags: string[]
  lines: { sku: string; count: number }[]
}

export const orders: Order[] = (() => {
  const random = new Random(14)
  return times(900, at => {
    const placed = Date.UTC(2026, 0, 1) + random.below(270) * DAY
    const person = random.below(60)
    return {
      id: 1_000 + at,
      city: random.one(CITIES),
      customer: {
        id: person,
        name: `${NAMES[person % 10]} ${String.fromCharCode(65 + (person % 23))}.`,
        ...(person % 17 === 0 ? { vip: true as const } : {}),
      },
      placed_at: dayText(placed),
      shipped_at: random.chance(8) ? null : dayText(placed + random.below(19) * DAY),
      price: random.chance(2) ? 'on request' : dollars(random.below(400_000)),
      spent: random.below(5_000),
      budget: 1_000 + random.below(9_000),
      quantity: 1 + random.below(40),
      stock: random.below(120),
      tags: TAGS.filter(() => random.chance(25)),
      lines: times(1 + random.below(4), () => ({
        sku: `SKU-${random.below(90)}`,
        count: 1 + random.below(9),
      })),
    }
  })
})()

export interface Site {
  visits: number
  owner: string
  https: boolean
  expires: string
  countries: Record<string, number>
}

export const sites: Record<string, Site> = (() => {
  const random = new Random(21)
  const words = ['apple', 'river', 'stone', 'cloud', 'paper', 'green', 'north', 'silver']
  const ends = ['com', 'org', 'example', 'co.uk', 'dev']
  return Object.fromEntries(
    times(260, at => [
      `${words[at % 8]}-${at}.${random.one(ends)}`,
      {
        visits: random.below(40) * 250,
        owner: random.one(NAMES),
        https: random.chance(80),
        expires: dayText(Date.UTC(2026, 5, 1) + random.below(900) * DAY),
        countries: { PT: random.below(500), ES: random.below(500), FR: random.below(500) },
      },
    ]),
  )
})()

export interface Package {
  name: string
  version: string
  size: number
}

/** Two lists side by side. */
export const packages: { before: Package[]; after: Package[] } = (() => {
  const random = new Random(33)
  const before = times(220, at => ({
    name: `pkg-${at}`,
    version: `${1 + random.below(3)}.${random.below(20)}.0`,
    size: 1_000 + random.below(90_000),
  }))
  const after = before
    .filter(() => !random.chance(5))
    .map(one => {
      if (!random.chance(15)) return one
      const [major, minor] = one.version.split('.').map(Number) as [number, number]
      return { ...one, version: `${major}.${minor + 1}.0`, size: one.size + random.below(20_000) }
    })
  const added = times(9, at => ({ name: `new-${at}`, version: '0.1.0', size: 500 + random.below(5_000) }))
  return { before, after: [...after, ...added] }
})()

/** 300 columns, most of them numbers that say nothing. */
export const sensors: Record<string, string | number | null>[] = (() => {
  const random = new Random(300)
  return times(80, at => {
    const row: Record<string, string | number | null> = { station: `S${String(at).padStart(3, '0')}` }
    for (let column = 0; column < 297; column++) row[`m_${column}`] = random.below(10_000) / 100
    row.battery_volts = 3 + random.below(130) / 100
    row.firmware = random.one(['1.2', '1.3', '1.10'])
    if (at % 9 === 0) row.last_error = random.one(['overheat', 'no signal', 'flood'])
    return row
  })
})()

/** Names that differ in case alone, and names that are words of SQL. */
export const accounts: Record<string, string | number>[] = (() => {
  const random = new Random(8)
  return times(300, at => ({
    id: at + 1,
    ID: `EXT-${9_000 - at}`,
    Name: `${random.one(NAMES)} ${at}`,
    name: `user${at}`,
    group: random.one(['admin', 'staff', 'guest']),
    order: random.below(50),
    'first seen': dayText(Date.UTC(2025, 0, 1) + random.below(600) * DAY),
    'home.city': random.one(CITIES),
  }))
})()

export interface Sale {
  day: string
  region: string
  product: string
  units: string
  revenue: string
  note?: string
}

/** As spreadsheets of half of Europe export: semicolons, a mark at the beginning, quotes, line breaks in cells, ragged rows. */
export const sales: Sale[] = (() => {
  const random = new Random(55)
  return times(700, at => {
    const sale: Sale = {
      day: dayText(Date.UTC(2026, 2, 1) + (at % 90) * DAY),
      region: random.one(['Nord', 'Süd', 'Ost', 'West']),
      product: random.one(['Lamp "Oslo"', 'Desk; oak', 'Chair', 'Shelf']),
      units: random.chance(3) ? '' : `${1 + random.below(30)}`,
      revenue: `${random.below(2_000)}.${String(random.below(100)).padStart(2, '0')}`,
    }
    if (random.chance(70)) sale.note = random.chance(10) ? 'called back\nno answer' : `ref ${at}`
    return sale
  })
})()

const cell = (text: string) => (/[";\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

export const salesText = `\uFEFF${['day;region;product;units;revenue;note', ...sales.map(({ note, ...row }) => [...Object.values(row), ...(note === undefined ? [] : [note])].map(cell).join(';'))].join('\r\n')}\r\n`

export interface Event {
  at: string
  type: string
  user: number
  ms?: number
  error?: { code: number; reason: string }
}

export const events: Event[] = (() => {
  const random = new Random(77)
  const start = Date.UTC(2026, 4, 4, 6)
  return times(1_400, at => {
    const type = random.one(['view', 'view', 'view', 'click', 'buy', 'search'])
    const failed = random.chance(3)
    return {
      at: new Date(start + at * 41_000 + random.below(30_000)).toISOString(),
      type,
      user: random.below(90),
      ...(failed ? {} : { ms: random.below(900) + (random.chance(1) ? 9_000 : 0) }),
      ...(failed
        ? { error: { code: random.one([500, 502, 504]), reason: random.one(['timeout', 'refused']) } }
        : {}),
    }
  })
})()

/** Lines of JSON; every 200th is cut off, as a crashed writer leaves it. */
export const eventsText = events
  .flatMap((event, at) => [
    JSON.stringify(event),
    ...(at % 200 === 199 ? [JSON.stringify(event).slice(0, 31)] : []),
  ])
  .join('\n')

/** A settings document, as a file tool gives it: JSON in a text, and no list in the middle of it. */
export const settings = (() => {
  const random = new Random(5)
  const service = (name: string, at: number) => ({
    host: `${name}.internal`,
    port: 7_000 + at * 11,
    limits: { cpu: `${250 * (1 + random.below(8))}m`, memory_mb: 128 * (1 + random.below(30)) },
    env: Object.fromEntries(times(14, n => [`${name.toUpperCase()}_${n}`, `value ${random.below(1_000)}`])),
    replicas: 1 + random.below(6),
    depends_on: SERVICES.filter(other => other !== name && random.chance(40)),
  })
  const names = [...SERVICES, ...times(25, at => `worker${at}`)]
  return {
    version: 3,
    region: 'eu-west-1',
    services: Object.fromEntries(names.map((name, at) => [name, service(name, at)])),
    maintenance: { window: { day: 'Sunday', from: '02:00', to: '03:30' }, contact: 'ops@example.org' },
    features: { dark_mode: true, beta: { search_v2: false, rollout_percent: 35 } },
  }
})()

/** Lists of lists: a table of numbers without names. */
export const readings: (string | number)[][] = (() => {
  const random = new Random(9)
  return times(600, at => [
    `2026-07-${String(1 + (at % 31)).padStart(2, '0')}`,
    `probe${at % 7}`,
    random.below(4_000) / 100,
    random.below(100),
  ])
})()

export interface LogLine {
  time: string
  level: string
  service: string
  message: string
}

export const log: LogLine[] = (() => {
  const random = new Random(404)
  return times(6_000, at => {
    const level = random.chance(1) ? 'ERROR' : random.chance(4) ? 'WARN' : 'INFO'
    const service = random.one(SERVICES)
    const message =
      at === 4_321
        ? 'disk /var full on node-7'
        : level === 'ERROR'
          ? `request failed: ${random.one(['timeout after 30 s', 'connection refused', 'HTTP 502'])} (user ${random.below(500)})`
          : level === 'WARN'
            ? `slow query took ${1_000 + random.below(8_000)} ms`
            : `GET /items/${random.below(900)} 200 in ${random.below(300)} ms`
    return { time: new Date(Date.UTC(2026, 8, 1) + at * 7_000).toISOString(), level, service, message }
  })
})()

export const logText = log
  .map(({ time, level, service, message }) => `${time} ${level} [${service}] ${message}`)
  .join('\n')

export interface Ticket {
  key: string
  state: string
  assignee: string | null
  opened_at: string
  closed_at: string | null
  points: number
  labels: { name: string; color: string }[]
}

export const tickets: Ticket[] = (() => {
  const random = new Random(62)
  return times(420, at => {
    const opened = Date.UTC(2026, 1, 1) + random.below(200) * DAY + random.below(DAY)
    const open = random.chance(30)
    return {
      key: `OPS-${at + 1}`,
      state: open ? random.one(['open', 'blocked']) : 'closed',
      assignee: random.chance(12) ? null : random.one(NAMES),
      opened_at: new Date(opened).toISOString(),
      closed_at: open ? null : new Date(opened + random.below(40 * 24) * 3_600_000).toISOString(),
      points: random.one([1, 2, 3, 5, 8]),
      labels: times(random.below(4), () => ({
        name: random.one(['bug', 'infra', 'docs', 'ui']),
        color: '#ccc',
      })),
    }
  })
})()

export interface Payment {
  id: number
  merchant: string
  country: string
  amount: number
  currency: string
  at: string
  risk: number
  note: string
}

/** More than a megabyte. */
export const payments: Payment[] = (() => {
  const random = new Random(1_000)
  return times(9_000, at => ({
    id: at + 1,
    merchant: `merchant ${random.below(300)}`,
    country: random.one(['PT', 'ES', 'FR', 'DE', 'IT']),
    amount: (at === 6_543 ? 1_000_000 : random.below(60_000)) / 100,
    currency: random.chance(95) ? 'EUR' : 'CHF',
    at: new Date(Date.UTC(2026, 0, 1) + at * 600_000).toISOString(),
    risk: random.below(1_000) / 1_000,
    note: `Payment ${at} for invoice ${random.below(100_000)}, as agreed.`,
  }))
})()

/** A report in several blocks of text: words, then a table, then a list. */
export const stock = (() => {
  const random = new Random(70)
  return {
    warehouses: times(160, at => ({
      code: `W${at}`,
      city: random.one(CITIES),
      capacity: 100 + random.below(900),
    })),
    moves: times(500, at => ({
      move: at + 1,
      warehouse: `W${random.below(160)}`,
      units: random.below(80) - 30,
    })),
  }
})()

export const warehousesText = [
  'code,city,capacity',
  ...stock.warehouses.map(one => Object.values(one).join(',')),
].join('\n')
