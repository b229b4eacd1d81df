import type { Store, StoreCapabilities } from '../stores/store.ts'

/** The slice of a test framework that the suite needs; vitest, jest and `node:test` have it. */
export interface TestFramework {
  describe(title: string, body: () => void): unknown
  readonly it: DefineTest & { readonly skip: DefineTest }
}

/** Defines one test, as `it` of vitest does. */
export type DefineTest = (title: string, body: () => Promise<void>) => unknown

/** One empty store, for one case. */
export interface OpenedStore {
  readonly store: Store
  /** Closes the store, if need be, and opens what it left behind. Needed when the store is durable. */
  reopen?(): Promise<Store>
  /** Opens the same entries once more, as another process would. Needed when the store is shared. */
  secondHandle?(): Promise<Store>
  /** Closes and removes all of it. */
  teardown(): Promise<void>
}

/** The quota of a store, for the cases that fill it. */
export interface StoreBounds {
  readonly maxEntries?: number
  readonly maxBytes?: number
}

/** The store that a suite is run on, and how to open it. */
export interface StoreSetup {
  readonly name: string
  /** What the store says of itself; decides which cases apply. */
  readonly capabilities: StoreCapabilities
  /**
   * The most bytes that a part may have, so that the suite can go beyond it; without it, that case is
   * skipped.
   */
  readonly maxPartBytes?: number
  /** The store makes room by itself, and `open` takes its quota; without it, those cases are skipped. */
  readonly hasQuota?: boolean
  /** The store keeps sums of savings (`Store.addSavings`); without it, those cases are skipped. */
  readonly keepsSavings?: boolean
  /** @param bounds the quota that a case needs, where the store has one */
  open(bounds?: StoreBounds): Promise<OpenedStore>
}

/** One sentence of the contract, and how to find out whether it holds. */
export interface StoreCase {
  readonly title: string
  readonly needs?: keyof typeof NEEDS
  readonly bounds?: StoreBounds
  run(opened: OpenedStore, setup: StoreSetup): Promise<void>
}

/** What a case may need: whether a store has it, and the reason to skip the case when it has not. */
export const NEEDS = {
  durable: {
    met: ({ capabilities }: StoreSetup) => capabilities.durable,
    reason: 'its entries end with the process',
  },
  shared: { met: ({ capabilities }: StoreSetup) => capabilities.shared, reason: 'it belongs to one process' },
  sharedWatch: {
    met: ({ capabilities }: StoreSetup) => capabilities.shared && capabilities.watch,
    reason: 'there are no other processes, or it does not hear of what they change',
  },
  maxPartBytes: {
    met: ({ maxPartBytes }: StoreSetup) => maxPartBytes !== undefined,
    reason: 'the setup names no bound',
  },
  quota: {
    met: ({ hasQuota }: StoreSetup) => hasQuota === true,
    reason: 'it has no quota of its own',
  },
  savings: {
    met: ({ keepsSavings }: StoreSetup) => keepsSavings === true,
    reason: 'it keeps no sums of savings',
  },
  sharedSavings: {
    met: ({ keepsSavings, capabilities }: StoreSetup) => keepsSavings === true && capabilities.shared,
    reason: 'it keeps no sums of savings, or belongs to one process',
  },
  sharedQuota: {
    met: ({ hasQuota, capabilities }: StoreSetup) => hasQuota === true && capabilities.shared,
    reason: 'it has no quota of its own, or belongs to one process',
  },
} as const
