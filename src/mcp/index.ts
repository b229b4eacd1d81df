export { SERVER_INSTRUCTIONS } from '../agent/instructions.ts'
export type { AuthorSchema } from '../agent/schema.ts'
export type { Scoping, Template } from '../agent/scoping.ts'
export type { PollingOptions } from '../agent/tools/tool.ts'
export { type AttachedRefCache, attachRefCache } from './attach.ts'
export type { AdminCheck, AttachOptions, Prepared, ToolConfig, ToolHandler } from './config.ts'
export type { ActorOf } from './identity.ts'
export type { TaskSupport } from './tasks/calls.ts'
export {
  type FetchHandler,
  type TaskNotificationsOptions,
  withTaskNotifications,
} from './tasks/listen-http.ts'
export { withTaskNotificationsOnStdio } from './tasks/listen-stdio.ts'
