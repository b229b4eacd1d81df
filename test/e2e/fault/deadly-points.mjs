// A store that ends or stops its own process at a named point of a task's life, as a crash there would.

/**
 * @param store the store to carry on with
 * @param die { point, nth, signal }: at the nth time that `point` is reached, the process gets `signal`
 * @param say tells the parent what has become durable, before anything can happen to this process
 */
export function deadlyPoints(store, die, say) {
  let left = die?.nth ?? 1
  const reach = point => {
    if (point !== die?.point || --left !== 0) return
    say({ dying: point })
    process.kill(process.pid, die.signal ?? 'SIGKILL')
  }
  const mine = new Set()
  /** How often the tasks of this process had been put off, as far as it has seen. */
  const retries = new Map()

  const wrapped = {
    capabilities: store.capabilities,
    async claim(draft, now, parts) {
      const claim = await store.claim(draft, now, parts)
      if (claim.won) {
        mine.add(draft.lease?.owner)
        say({ claimed: draft.refId, id: idIn(parts.input) })
        reach('after claim')
        // Work that somebody waits for begins with its claim.
        if (claim.entry.status === 'processing') {
          mine.add(runOf(claim.entry))
          reach('after start')
        }
      }
      return claim
    },
    async stage(segment, bytes, now) {
      say({ settling: segment.refId })
      return store.stage(segment, bytes, now)
    },
    async update(entry, expectedVersion, parts) {
      const step = stepOf(entry)
      if (step === 'settle') {
        say({ settling: entry.refId })
        reach('before settle')
      }
      const updated = await store.update(entry, expectedVersion, parts)
      if (!updated) return false
      if (step === 'settle') {
        say({ settled: entry.refId, as: entry.status })
        reach('after settle')
      }
      if (step === 'start') {
        mine.add(runOf(entry))
        reach('after start')
      }
      if (step === 'postpone') {
        retries.set(entry.refId, entry.retries)
        reach('after postpone')
      }
      if (step === 'take') {
        mine.add(entry.lease.owner)
        retries.set(entry.refId, entry.retries)
        say({ taken: entry.refId })
        reach('after take')
      }
      return true
    },
  }
  // A lease owner is new with each claim, retry and takeover; a retry is the only one that no sweep does.
  function stepOf(entry) {
    if (entry.status === 'processing') return mine.has(runOf(entry)) ? 'renew' : 'start'
    if (entry.status !== 'pending') return 'settle'
    if (!mine.has(entry.lease.owner)) return 'take'
    return entry.retries === retries.get(entry.refId) ? 'renew' : 'postpone'
  }
  return { store: withTheRest(store, wrapped), reach }
}

function runOf({ lease, attempt }) {
  return `${lease.owner} ${attempt}`
}

/** The input is plain JSON after a byte that says so (core/codec.ts): small inputs are never compressed. */
function idIn(input) {
  return JSON.parse(Buffer.from(input.subarray(1)).toString()).id
}

/** The methods that are not replaced go to the store itself. */
function withTheRest(store, replaced) {
  return new Proxy(store, {
    get(target, name) {
      if (name in replaced) return replaced[name]
      const member = target[name]
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}
