import type {
  InputRequiredResult,
  McpServer,
  ServerContext,
  ToolAnnotations,
} from '@modelcontextprotocol/server'
import { CACHING_OPTIONS, type CachingOptions, type ToolListingOptions } from '../agent/caching.ts'
import type { GuideOptions } from '../agent/guide.ts'
import type { ClientLimitOptions } from '../agent/limits.ts'
import type { EnvelopeOptions } from '../agent/present.ts'
import type { AuthorSchema, RawShape } from '../agent/schema.ts'
import { SCOPING, type Scoping } from '../agent/scoping.ts'
import type { OwnToolOptions } from '../agent/tools/own-tools.ts'
import type { Duration } from '../core/duration.ts'
import type { TaskContext } from '../core/handler.ts'
import type { Names } from '../core/options.ts'
import type { ActorOf } from './identity.ts'
import type { TaskSupport } from './tasks/calls.ts'

/** Options of `attachRefCache`. */
export interface AttachOptions
  extends OwnToolOptions,
    ToolListingOptions,
    Scoping,
    EnvelopeOptions,
    ClientLimitOptions,
    GuideOptions {
  /**
   * How long a tool's call waits before it answers with a handle, unless the tool says otherwise. Clients give up
   * after 30 to 60 s.
   * @defaultValue '20s'
   */
  asyncTimeout?: Duration | undefined
  /** Who calls. @defaultValue the subject of `authInfo`, else the session, else an anonymous agent */
  actorOf?: ActorOf | undefined
  /**
   * Whether slow calls are offered as tasks of MCP to clients that know those.
   * @defaultValue true where the server has no handler of `tools/call` yet: it must not be given `capabilities.tools`
   */
  tasks?: boolean | undefined
  /**
   * How long a call that can become a task is waited for, so that quick ones are answered at once and cost no poll.
   * @defaultValue '500ms'
   */
  taskGrace?: Duration | undefined
  /**
   * Whether what is behind a reference can be read as the resource `refcache:///<ref_id>`, too, and listed by whoever had it made.
   * @defaultValue true
   */
  resources?: boolean | undefined
  /**
   * Whether clients that show MCP Apps show a progress card beside each call of a tool: a bar while it runs, with a button to cancel,
   * and its result as a table. A tool with `_meta.ui` of its own keeps that. Other clients are told nothing of it.
   * @defaultValue false
   */
  card?: boolean | undefined
  /** Registers the admin tools, for callers of whom this says true. @defaultValue no admin tools at all */
  adminCheck?: AdminCheck | undefined
}

/** Whether this call comes from an operator. Each call of an admin tool asks; a check that throws says no. */
export type AdminCheck = (context: ServerContext) => boolean | Promise<boolean>

/**
 * A tool's work.
 *
 * @param context The SDK's context of the request that started the work: `http.authInfo`, the session, `mcpReq.log`. It is there where an
 *   attempt begins while that request is open: not after the request was answered (with a handle) or turned away, after a retry by
 *   hand, or in another process. `task.actor` always says who started the work.
 * @param local what `prepare` gave for this process alone: in every attempt of the run that its request started here, also when the
 *   request is over. Not after a retry by hand, or in another process: let the work fail then, and the caller call again.
 */
export type ToolHandler<Arguments, Result, Local = undefined> = (
  args: Arguments,
  task: TaskContext,
  context: ServerContext | undefined,
  local: Local | undefined,
) => Result | Promise<Result>

/** The SDK's own tool config. */
type SdkToolConfig = Pick<
  Parameters<McpServer['registerTool']>[1],
  'title' | 'description' | 'icons' | 'scopeChallenge' | '_meta'
>

/** What the SDK's `registerTool` takes, and how the tool goes through the cache. */
export interface ToolConfig<
  Input extends AuthorSchema | RawShape | undefined = AuthorSchema | RawShape | undefined,
  Output extends AuthorSchema | RawShape | undefined = AuthorSchema | RawShape | undefined,
  Local = unknown,
> extends SdkToolConfig,
    Scoping,
    EnvelopeOptions,
    CachingOptions {
  /** A Standard Schema that can show itself as JSON Schema, or the fields of a zod object: `{ site: z.string() }`. */
  inputSchema?: Input | undefined
  /** Checks the handler's result. Clients see it widened: they are also given previews and handles. */
  outputSchema?: Output | undefined
  annotations?: ToolAnnotations | undefined
  /** @defaultValue that of `attachRefCache`: '20s' */
  asyncTimeout?: Duration | undefined
  /**
   * Whether calls become tasks of MCP: 'optional' where the client knows tasks, 'required' to refuse clients that do
   * not, 'none' never.
   * @defaultValue 'optional'
   */
  taskSupport?: TaskSupport | undefined
  /** Whether clients that show MCP Apps show a progress card beside its calls. @defaultValue that of `attachRefCache`: false */
  card?: boolean | undefined
  /**
   * Runs with each request, before the cache is asked: completes the arguments, which are as the client sent them,
   * unchecked; or asks for more with the SDK's `inputRequired(…)`. The client then calls again, with its answers in
   * `context.mcpReq.inputResponses`. What it gives in the end is the handler's input, is stored with the task, and tells calls apart.
   *
   * For what must not be stored, such as a token, it gives `[input, local]`: `local` goes to the handler, as its last argument, and
   * never leaves the process. It does not tell calls apart: a memoized result may have been made with another one's.
   */
  prepare?:
    | ((
        args: Readonly<Record<string, unknown>>,
        context: ServerContext,
      ) => Prepared<Local> | Promise<Prepared<Local>>)
    | undefined
}

/** The same with schemas alone. */
export type SchemaToolConfig = ToolConfig<AuthorSchema | undefined, AuthorSchema | undefined>

const SHOWN: Names<SdkToolConfig> = {
  title: true,
  description: true,
  icons: true,
  scopeChallenge: true,
  _meta: true,
}

export const TOOL_CONFIG: Names<ToolConfig> = {
  ...SHOWN,
  ...SCOPING,
  ...CACHING_OPTIONS,
  envelope: true,
  inputSchema: true,
  outputSchema: true,
  annotations: true,
  asyncTimeout: true,
  taskSupport: true,
  card: true,
  prepare: true,
}

type PreparedInput = Readonly<Record<string, unknown>>

/** What `prepare` gives: the input, also with what only this process keeps, or a question to the client. */
export type Prepared<Local = unknown> =
  | PreparedInput
  | readonly [input: PreparedInput, local: Local]
  | InputRequiredResult
