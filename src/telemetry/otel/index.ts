export type { Captured } from './disclosure.ts'
export { type Instrumentation, type InstrumentOptions, instrument } from './instrument.ts'
