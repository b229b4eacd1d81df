export { type AttachedRefCache, attachRefCache } from './attach.ts'
export type { AdminCheck, AttachOptions, ToolConfig } from './config.ts'
export type { ActorOf } from './identity.ts'
export { SERVER_INSTRUCTIONS } from './instructions.ts'
export type { AuthorSchema } from './schema.ts'
export type { Scoping } from './scoping.ts'
export type { TaskSupport } from './tasks/calls.ts'
export {
  type FetchHandler,
  type TaskNotificationsOptions,
  withTaskNotifications,
} from './tasks/listen-http.ts'
export { withTaskNotificationsOnStdio } from './tasks/listen-stdio.ts'
export type { Template } from './template.ts'
export type { PollingOptions } from './tools.ts'
