import type { ContentResult, FastMCPSessionAuth, Tool, ToolParameters } from 'fastmcp'
import {
  CACHING_OPTIONS,
  type CachingOptions,
  TOOL_LISTING_OPTIONS,
  type ToolListingOptions,
} from '../agent/caching.ts'
import type { GuideOptions } from '../agent/guide.ts'
import { CLIENT_LIMIT_OPTIONS, type ClientLimitOptions } from '../agent/limits.ts'
import type { EnvelopeOptions } from '../agent/present.ts'
import { SCOPING, type Scoping } from '../agent/scoping.ts'
import { OWN_TOOL_OPTIONS, type OwnToolOptions } from '../agent/tools/own-tools.ts'
import type { Duration } from '../core/duration.ts'
import type { TaskContext } from '../core/handler.ts'
import type { Names } from '../core/options.ts'
import type { ActorOf, AdminCheck, RequestContext } from './identity.ts'

/** Options of the polling tools of fastmcp. */
export interface FastMcpPollingOptions<Session extends FastMCPSessionAuth = FastMCPSessionAuth>
  extends OwnToolOptions,
    ClientLimitOptions,
    GuideOptions {
  /** Who calls; the same as that of the tools. @defaultValue see `RefcacheToolConfig.actorOf` */
  actorOf?: ActorOf<Session> | undefined
  /** Adds the admin tools, for callers of whom this says true. @defaultValue no admin tools at all */
  adminCheck?: AdminCheck<Session> | undefined
}

type Types<Schema extends ToolParameters> = NonNullable<Schema['~standard']['types']>

export type ArgumentsOf<Parameters> = Parameters extends ToolParameters
  ? Types<Parameters>['output']
  : Record<string, never>

export type ResultOf<Output> = Output extends ToolParameters ? Types<Output>['input'] : unknown

type Result<Output> = ResultOf<Output> | ContentResult

/** What fastmcp's `addTool` takes, and how the tool goes through the cache. `asyncTimeout` stands for its `timeoutMs`. */
export interface RefcacheToolConfig<
  Session extends FastMCPSessionAuth = FastMCPSessionAuth,
  Parameters extends ToolParameters | undefined = ToolParameters | undefined,
  Output extends ToolParameters | undefined = ToolParameters | undefined,
> extends CachingOptions,
    ToolListingOptions,
    Scoping,
    EnvelopeOptions,
    ClientLimitOptions,
    Pick<Tool<Session>, 'name' | 'description' | 'annotations' | 'canAccess' | '_meta'> {
  parameters?: Parameters | undefined
  /** Checks the result of `execute`. Clients see it widened: they are also given previews and handles. */
  outputSchema?: Output | undefined
  /**
   * The work. Gives a JSON value, or a result with content blocks.
   *
   * @param context The request that started the work, where an attempt begins while that request is open: not after the request was
   *   answered (with a handle) or turned away, after a retry by hand, or in another process. `task.actor` always says who started the
   *   work. The work may outlive the request, so it may be over when the context is used.
   */
  execute(
    args: ArgumentsOf<Parameters>,
    task: TaskContext,
    context: RequestContext<Session> | undefined,
  ): Result<Output> | Promise<Result<Output>>
  /**
   * Who calls.
   * @defaultValue the subject that `authenticate` named (`sub`, `subject`, `userId`, `user_id`, at the top or in
   *   `extra`), else the HTTP session, else an anonymous agent
   */
  actorOf?: ActorOf<Session> | undefined
  /**
   * How long a call waits before it answers with a handle; it never stops the work. Clients give up after 30 to 60 s.
   * @defaultValue '20s'
   */
  asyncTimeout?: Duration | undefined
}

export const TOOL_CONFIG: Names<RefcacheToolConfig> = {
  ...CACHING_OPTIONS,
  ...TOOL_LISTING_OPTIONS,
  ...CLIENT_LIMIT_OPTIONS,
  envelope: true,
  ...SCOPING,
  name: true,
  description: true,
  annotations: true,
  canAccess: true,
  _meta: true,
  parameters: true,
  outputSchema: true,
  execute: true,
  actorOf: true,
  asyncTimeout: true,
}

export const POLLING_OPTIONS: Names<FastMcpPollingOptions> = {
  ...OWN_TOOL_OPTIONS,
  ...CLIENT_LIMIT_OPTIONS,
  actorOf: true,
  adminCheck: true,
  guide: true,
}
