export { FakeClock } from './fake-clock.ts'
export type { DefineTest, OpenedStore, StoreSetup, TestFramework } from './store-setup.ts'
export { storeSuite } from './store-suite.ts'
