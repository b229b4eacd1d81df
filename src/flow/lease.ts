import type { Lease } from '../core/entry.ts'
import type { Engine } from './engine.ts'

/** The process that a lease is of. */
export function processOf({ owner }: Lease): string {
  return owner.slice(0, owner.lastIndexOf('/'))
}

/** The right to run a task, for one claim, retry or recovery by this process. */
export function newLease(engine: Engine): Lease {
  const owner = `${engine.instance}/${Buffer.from(engine.random(6)).toString('hex')}`
  return { owner, duration: engine.settings.leaseDuration }
}
