import { growingBench } from './growing.ts'
import { livePageBench } from './live-page.ts'
import { liveTasksBench } from './live-tasks.ts'
import { manyEntriesBench } from './many-entries.ts'
import { memoryHitBench } from './memory-hit.ts'
import { pausesBench } from './pauses.ts'
import { pollBench } from './poll.ts'
import { previewBench } from './preview.ts'
import { queryBench } from './query.ts'
import { type Row, table } from './row.ts'
import { startBench } from './start.ts'
import { storesBench } from './stores.ts'
import { telemetryBench } from './telemetry.ts'
import { threadsBench } from './threads.ts'
import { valuesBench } from './values.ts'
import { workersBench } from './workers.ts'
import { wrapBench } from './wrap.ts'

/**
 * `npm run bench`: each group compares this project with what a user would have without it, interleaved in one
 * run, as medians. `npm run bench -- poll wrap` runs some groups only. Nothing here passes or fails.
 */
const GROUPS: Record<string, () => Promise<Row[]>> = {
  preview: previewBench,
  values: valuesBench,
  pauses: pausesBench,
  growing: growingBench,
  query: queryBench,
  memory: memoryHitBench,
  'live-tasks': liveTasksBench,
  telemetry: telemetryBench,
  poll: pollBench,
  stores: storesBench,
  'many-entries': manyEntriesBench,
  'live-page': livePageBench,
  threads: threadsBench,
  wrap: wrapBench,
  start: startBench,
  workers: workersBench,
}

const asked = process.argv.slice(2)
const unknown = asked.filter(name => !(name in GROUPS))
if (unknown.length > 0) {
  console.error(`No such group: ${unknown.join(', ')}. There are ${Object.keys(GROUPS).join(', ')}.`)
  process.exit(1)
}

const rows: Row[] = []
for (const [name, run] of Object.entries(GROUPS)) {
  if (asked.length > 0 && !asked.includes(name)) continue
  console.error(`measuring ${name} …`)
  // What one group left behind is not collected at the expense of the next.
  globalThis.gc?.()
  rows.push(...(await run()))
}
console.log(`Node ${process.version}; medians; ratio = time of this project ÷ time of the other\n`)
console.log(table(rows))
