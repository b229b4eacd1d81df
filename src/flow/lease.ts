import type { Lease } from '../core/entry.ts'
import type { Engine } from './engine.ts'

/** A lease owner is one attempt in one process. */
export function newOwner(engine: Engine): string {
  return `${engine.instance}/${Buffer.from(engine.random(6)).toString('hex')}`
}

export function leaseFor(engine: Engine, owner: string): Lease {
  return { owner, until: engine.clock.now() + engine.settings.leaseDuration }
}
