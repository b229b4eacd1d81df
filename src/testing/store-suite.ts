import { claimCases } from './store-cases/claim.ts'
import { evictionCases } from './store-cases/eviction.ts'
import { lifecycleCases } from './store-cases/lifecycle.ts'
import { listCases } from './store-cases/list.ts'
import { lookCases } from './store-cases/look.ts'
import { modelCases } from './store-cases/model.ts'
import { ownerCases } from './store-cases/owners.ts'
import { partCases } from './store-cases/parts.ts'
import { quotaCases } from './store-cases/quota.ts'
import { removalCases } from './store-cases/removal.ts'
import { savingsCases } from './store-cases/savings.ts'
import { segmentCases } from './store-cases/segments.ts'
import { sharedCases } from './store-cases/shared.ts'
import { updateCases } from './store-cases/update.ts'
import { watchCases } from './store-cases/watch.ts'
import { NEEDS, type StoreCase, type StoreSetup, type TestFramework } from './store-setup.ts'

const CASES: Record<string, readonly StoreCase[]> = {
  claim: claimCases,
  update: updateCases,
  parts: partCases,
  segments: segmentCases,
  list: listCases,
  'looking at it': lookCases,
  'tasks by their process': ownerCases,
  'delete, clear and prune': removalCases,
  savings: savingsCases,
  quota: quotaCases,
  'making room': evictionCases,
  watch: watchCases,
  lifecycle: lifecycleCases,
  'several handles': sharedCases,
  model: modelCases,
}

/**
 * Defines the tests that every store passes: the contract in `Store`, in executable form.
 *
 * @example
 * import { describe, it } from 'vitest'
 * storeSuite({ describe, it }, {
 *   name: 'myStore',
 *   capabilities: { durable: false, shared: false, watch: true },
 *   open: async () => {
 *     const store = myStore()
 *     return { store, teardown: () => store.close() }
 *   },
 * })
 */
export function storeSuite({ describe, it }: TestFramework, setup: StoreSetup): void {
  describe(`store contract: ${setup.name}`, () => {
    for (const [subject, cases] of Object.entries(CASES)) {
      describe(subject, () => {
        for (const storeCase of cases) define(it, storeCase, setup)
      })
    }
  })
}

function define(it: TestFramework['it'], { title, needs, bounds, run }: StoreCase, setup: StoreSetup): void {
  const test = async () => {
    const opened = await setup.open(bounds)
    try {
      await run(opened, setup)
    } finally {
      await opened.teardown()
    }
  }
  if (!needs || NEEDS[needs].met(setup)) it(title, test)
  else it.skip(`${title} (not for ${setup.name}: ${NEEDS[needs].reason})`, test)
}
