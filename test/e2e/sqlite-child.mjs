// One more process on the same file. It runs the built package, as a user's process would.
import { createHash } from 'node:crypto'
import { sqliteStore } from '../../dist/stores/sqlite.js'

const NOW = Date.UTC(2030, 0, 1)
const [job, path, name, count] = process.argv.slice(2)
const store = sqliteStore(path)

function draft(number, fields) {
  const id = createHash('sha256').update(`${name} ${number}`).digest('hex').slice(0, 32)
  return {
    refId: `files:${id}`,
    namespace: 'public',
    policy: { user: 31, agent: 17 },
    startedBy: 'user',
    createdAt: NOW,
    version: 1,
    attempt: 1,
    maxRetries: 3,
    idempotent: false,
    retryHistory: [],
    status: 'complete',
    completedAt: NOW,
    ...fields,
  }
}

const jobs = {
  /** Claims every key; prints the numbers of those that were won. */
  async claim() {
    const won = []
    for (let number = 0; number < Number(count); number++) {
      const claim = await store.claim(draft(number, { key: `key ${number}`, label: name }), NOW)
      if (claim.won) won.push(number)
    }
    await store.close()
    console.log(JSON.stringify(won))
  },

  /** Writes entries whose label is the digest of their value, and writes each twice, until it is killed. */
  async write() {
    for (let number = 0; ; number++) {
      const first = labelled(number, number)
      await store.claim(first.entry, NOW, { value: first.value })
      const second = labelled(number, number + 1)
      await store.update({ ...second.entry, version: 2 }, 1, { value: second.value })
      if (number === 3) console.log('writing')
    }
  },

  /** Counts one entry up with compare-and-set. */
  async count() {
    const { refId } = (await store.list({ cacheName: 'files', limit: 1 }))[0]
    for (let counted = 0; counted < Number(count); ) {
      const entry = await store.get(refId)
      if (await store.update({ ...entry, version: entry.version + 1 }, entry.version)) counted++
    }
    await store.close()
    console.log('done')
  },
}

function labelled(number, seed) {
  const value = Buffer.alloc(20_000 + ((seed * 7919) % 200_000), `${name} ${seed} `)
  return { value, entry: draft(number, { label: createHash('sha256').update(value).digest('hex') }) }
}

await jobs[job]()
