export type { EntryInfo } from '../core/entry-info.ts'
export type { InspectedEntry, LiveTask } from './describe.ts'
export {
  type CacheCounts,
  type Inspected,
  type InspectedSavings,
  type Inspector,
  type InspectorListOptions,
  type InspectorOptions,
  openInspector,
} from './inspector.ts'
