import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Random } from '../questions/random.ts'

/** What the tasks are about: files as people have them. The same on every machine. */

const SERVICES = ['billing', 'auth', 'search', 'mail', 'stock']
const times = <T>(count: number, make: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => make(at))

const random = new Random(16)

export const DISK_FULL_AT = '2026-01-01T08:40:34.000Z'

/** 5 MB; one line says what is looked for. */
export const logText = times(48_000, at => {
  const time = new Date(Date.UTC(2026, 0, 1) + at * 1_000).toISOString()
  const what =
    time === DISK_FULL_AT
      ? 'ERROR disk /var is full on node-7'
      : `INFO request ${at} took ${random.below(97)} ms`
  return `${time} ${random.one(SERVICES)} ${what}, user ${random.below(5_000)}, session ${random.below(1e9).toString(36)}`
}).join('\n')

/** 40,000 rows; three amounts are out of all proportion. */
export const OUTLIERS = [7_003, 21_455, 33_808]
export const csvText = [
  'id,city,amount,day',
  ...times(40_000, at =>
    [
      at + 1,
      random.one(['Lisbon', 'Porto', 'Faro', 'Braga']),
      OUTLIERS.includes(at + 1) ? 90_000 + random.below(9_000) : random.below(50_000) / 100,
      `2026-01-${String(1 + random.below(28)).padStart(2, '0')}`,
    ].join(','),
  ),
].join('\n')

const rows = times(2_400, id => ({
  id,
  title: `Item ${id} – größe`,
  state: random.one(['open', 'done', 'late']),
  cells: [id, `note ${id}`, 0.1],
}))
/** 300 KB of JSON with what a careless tool would change: escapes, digits, spaces. */
export const documentText = JSON.stringify({ title: 'plan', rows }, null, 1)
  .replaceAll('ö', '\\u00f6')
  .replace('"id": 3,', '"id": 12345678901234567890,')

const functionText = (name: string, lines: number) => [
  `export function ${name}(input: string): number {`,
  ...times(lines, at => `  const step${at} = input.length * ${random.below(900)} // ${name} ${at}`),
  `  return ${lines}`,
  '}',
  '',
]

/** 600 lines, of which one function is wanted. */
export const FUNCTION = functionText('parseInterval', 22).slice(0, -1).join('\n')
export const longSource = [
  ...times(11, at => functionText(`stage${at}`, 22)).flat(),
  ...FUNCTION.split('\n'),
  '',
  ...times(11, at => functionText(`late${at}`, 22)).flat(),
].join('\n')

/** About 33 KB; one line of it is to be changed. */
export const settingsText = times(420, at => {
  const name = at === 287 ? 'searchRetries' : `setting${at}`
  return `export const ${name} = { value: ${at === 287 ? 3 : random.below(90)}, since: '2.${at % 9}', owner: '${random.one(SERVICES)}' }`
}).join('\n')

/** A source file that is read whole. */
export const sourceText = times(9, at => functionText(`work${at}`, 24))
  .flat()
  .join('\n')

/** About 2 MB. */
export const bigText = times(
  26_000,
  at => `record ${at}: ${random.below(1e9).toString(36)} – ${random.below(1e9)} – größe, as it came`,
).join('\n')

export const TREE = { folders: 40, files: 2_000, tests: 0, schema: '' }
function writeTree(root: string): void {
  const local = new Random(2_000)
  TREE.tests = 0
  for (let at = 0; at < TREE.files; at++) {
    const folder = `part${local.below(8)}/unit${local.below(5)}`
    mkdirSync(join(root, folder), { recursive: true })
    const isTest = local.chance(20)
    const isSchema = at === 1_234
    const name = isSchema ? 'config.schema.json' : `file${at}${isTest ? '.test' : ''}.ts`
    if (isTest && !isSchema) TREE.tests++
    if (isSchema) TREE.schema = `${folder}/${name}`
    writeFileSync(join(root, folder, name), '')
  }
}

const oldBody = functionText('resize', 20).slice(1, -2)
const newBody = functionText('better', 30).slice(1, -2)
export const TWO = {
  target: [
    ...functionText('before', 18),
    'export function resize(input: string): number {',
    ...oldBody,
    '}',
    '',
  ].join('\n'),
  source: ['// The new body of resize', ...newBody].join('\n'),
  result: '',
}
TWO.result = TWO.target.replace(oldBody.join('\n'), newBody.join('\n'))
const firstLine = TWO.target.split('\n').indexOf(oldBody[0] as string) + 1
export const TWO_LINES = {
  old: `#L${firstLine}-L${firstLine + oldBody.length - 1}`,
  new: `#L2-L${newBody.length + 1}`,
}

export const statusText = (build17: string) =>
  JSON.stringify({
    builds: times(600, at => ({
      build: at,
      state: at === 17 ? build17 : 'done',
      log: `build ${at} said ${(at * 7_919) % 1_000}`,
    })),
  })

/** Writes all of it. */
export function writeFiles(root: string): void {
  mkdirSync(root)
  const files = {
    'app.log': logText,
    'sales.csv': csvText,
    'plan.json': documentText,
    'long.ts': longSource,
    'settings.ts': settingsText,
    'source.ts': sourceText,
    'big.txt': bigText,
    'target.ts': TWO.target,
    'new-body.ts': TWO.source,
    'status.json': statusText('running'),
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text)
  writeTree(join(root, 'tree'))
}

/** What the memory server keeps: a graph of people, as it was and as it came to be. */
export function graphFile(when: 'earlier' | 'later'): string {
  const isLater = when === 'later'
  const local = new Random(6)
  const people = times(400, at => {
    const [city, service] = [local.one(['Lisbon', 'Porto']), local.one(SERVICES)]
    const work = isLater && [77, 311].includes(at) ? 'the moon' : service
    const observations = [`Lives in ${city}`, `Works on ${work}`]
    return { type: 'entity', name: `person_${at}`, entityType: 'person', observations }
  })
  const added = isLater
    ? [{ type: 'entity', name: 'newcomer', entityType: 'person', observations: ['Lives in Faro'] }]
    : []
  return [...people, ...added].map(line => JSON.stringify(line)).join('\n')
}
