export { SERVER_INSTRUCTIONS as REFERENCE_INSTRUCTIONS } from '../agent/instructions.ts'
export type { ProgramToolOptions } from '../agent/program/options.ts'
export {
  isReference,
  type Reference,
  type WholeOf,
  type WholeOfOptions,
  wholeOf,
} from '../agent/program/reference.ts'
export { type AnyTool, type ReferenceOptions, type ToolCallInfo, withReferences } from './with-references.ts'
