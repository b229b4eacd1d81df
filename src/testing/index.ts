export { FakeClock } from './fake-clock.ts'
export {
  type DefineTest,
  type OpenedStore,
  type StoreSetup,
  storeSuite,
  type TestFramework,
} from './store-suite.ts'
