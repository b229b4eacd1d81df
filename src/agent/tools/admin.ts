import * as z from 'zod'
import { type Actor, actor } from '../../access/actor.ts'
import type { Namespace } from '../../access/namespace.ts'
import { Permission } from '../../access/permission.ts'
import { ENTRY_STATUSES } from '../../core/entry.ts'
import { NotFound, PermissionDenied } from '../../core/errors.ts'
import { hidesSession } from '../../core/hidden-session.ts'
import type { RefId } from '../../core/ref.ts'
import type { RefCache } from '../../ref-cache.ts'
import { ADAPTERS } from '../../ref-cache-adapters.ts'
import { readSentArguments } from '../sent-arguments.ts'
import { type ToolResult, toErrorResult, toResult } from '../wire.ts'
import { toEntryResult, toPageResult, toStatsResult } from '../wire-admin.ts'
import { define, type OwnTool } from './tool.ts'

/** What an admin tool has to know of a call. */
export interface AdminContext {
  /** @defaultValue an anonymous agent */
  actor?: Actor | undefined
  /** Whether the caller is an operator. Asked by each call; anything but true means no. */
  isAdmin(): boolean | Promise<boolean>
}

/** A tool for operators, free of any SDK. It acts for the host program, whatever rights its caller has. */
export interface AdminTool extends Omit<OwnTool, 'handle'> {
  handle(args: unknown, context: AdminContext): Promise<ToolResult>
}

const MAX_LIMIT = 200
const MAX_NAME_LENGTH = 1_000
const DEFAULT_LIMIT = 50

const refId = z.string().describe('The ref_id of the entry.')
const namespace = z.string().max(MAX_NAME_LENGTH)
const age = z.number().min(0).optional()

const listArguments = z.strictObject({
  namespace: namespace.optional().describe('Only this namespace, written as entries show it.'),
  tool_name: z.string().optional().describe('Only what this tool made.'),
  statuses: z.array(z.enum(ENTRY_STATUSES)).optional().describe('Only entries in one of these.'),
  older_than_seconds: age.describe('Only entries made at least this long ago.'),
  newer_than_seconds: age.describe('Only entries made less than this long ago.'),
  limit: z
    .int()
    .min(1)
    .max(MAX_LIMIT)
    .optional()
    .describe(`At most this many; ${DEFAULT_LIMIT} unless given.`),
  cursor: z.string().optional().describe('The next_cursor of the page before, with the same filters.'),
})

const showArguments = z.strictObject({ ref_id: refId })

const clearArguments = z.strictObject({
  namespace: namespace.describe('The namespace, written as entries show it.'),
  confirm: z.literal(true).describe('All entries of the namespace go, for everybody. There is no way back.'),
})

const statsArguments = z.strictObject({ namespace: namespace.optional().describe('Only this namespace.') })

/**
 * `admin_list_references`, `admin_show_reference`, `admin_delete_reference`, `admin_clear_namespace` and `admin_stats`.
 * None of them gives a value, an input, or what a handler said in words.
 */
export function adminTools(cache: RefCache): AdminTool[] {
  const tools = [list(cache), show(cache), remove(cache), clear(cache), stats(cache)]
  return tools.map(tool => forOperators(cache, tool))
}

const READS = { readOnlyHint: true, idempotentHint: true, openWorldHint: false }
const DESTROYS = { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false }

function list(cache: RefCache): OwnTool {
  return define({
    name: 'admin_list_references',
    title: 'List references',
    description:
      'For operators: the references in the cache, whoever owns them, without their values. A page may hold fewer than limit, even none: go on with next_cursor until there is none.',
    annotations: READS,
    schema: listArguments,
    run: async args =>
      toPageResult(
        await cache.list({
          namespace: args.namespace,
          toolName: args.tool_name,
          statuses: args.statuses,
          olderThan: inMilliseconds(args.older_than_seconds),
          newerThan: inMilliseconds(args.newer_than_seconds),
          limit: args.limit ?? DEFAULT_LIMIT,
          cursor: args.cursor,
        }),
      ),
  })
}

function show(cache: RefCache): OwnTool {
  return define({
    name: 'admin_show_reference',
    title: 'Show reference',
    description: 'For operators: what is known of one reference, whoever owns it, without its value.',
    annotations: READS,
    schema: showArguments,
    run: async args => toEntryResult(await cache.inspect(args.ref_id)),
  })
}

function remove(cache: RefCache): OwnTool {
  return define({
    name: 'admin_delete_reference',
    title: 'Delete reference',
    description:
      'For operators: deletes one reference and its value for good, whoever owns it. A task that runs for it is stopped.',
    annotations: DESTROYS,
    schema: showArguments,
    run: async args =>
      toResult({
        ref_id: args.ref_id,
        deleted: await cache.delete(args.ref_id, { actor: actor.system() }),
      }),
  })
}

function clear(cache: RefCache): OwnTool {
  return define({
    name: 'admin_clear_namespace',
    title: 'Clear namespace',
    description:
      'For operators: deletes all references of one namespace and their values for good. Tasks that run for them are stopped.',
    annotations: DESTROYS,
    schema: clearArguments,
    run: async args =>
      toResult({ namespace: args.namespace, deleted: await clearNamespace(cache, args.namespace) }),
  })
}

function stats(cache: RefCache): OwnTool {
  return define({
    name: 'admin_stats',
    title: 'Cache statistics',
    description:
      'For operators: how many references the cache holds, by status and by tool, how large their values are, and the oldest one.',
    annotations: READS,
    schema: statsArguments,
    run: async args => toStatsResult(await cache.stats(args)),
  })
}

/** Asks before it looks at the arguments. A check that throws says no, and what it threw stays here. */
function forOperators(cache: RefCache, tool: OwnTool): AdminTool {
  return {
    ...tool,
    async handle(args, context) {
      const admitted = await isOperator(context)
      cache[ADAPTERS].recordDecision({
        actor: context.actor ?? actor.agent(),
        action: 'admin',
        toolName: tool.name,
        permission: Permission.FULL,
        verdict: admitted ? 'allowed' : 'denied',
        rule: 'admin',
        ...targetOf(readSentArguments(tool.inputSchema, args)),
      })
      return admitted ? tool.handle(args, {}) : toErrorResult(new PermissionDenied(DENIAL))
    },
  }
}

/** What a call is about, as its caller says. */
function targetOf(args: unknown): { refId?: string; namespace?: string } {
  const { ref_id, namespace } = (args ?? {}) as Record<string, unknown>
  return {
    ...(isShort(ref_id) ? { refId: ref_id } : {}),
    ...(isShort(namespace) ? { namespace } : {}),
  }
}

function isShort(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_NAME_LENGTH
}

const DENIAL = 'This tool is for the operators of the server, and the server does not know you as one.'

async function isOperator(context: AdminContext): Promise<boolean> {
  try {
    return (await context.isAdmin()) === true
  } catch {
    return false
  }
}

/** Who sees sessions hidden cannot name them, so what is in such a namespace goes one by one. */
async function clearNamespace(cache: RefCache, name: Namespace): Promise<number> {
  if (!hidesSession(name)) return cache.clear(name)
  let deleted = 0
  for (let cursor: string | undefined; ; ) {
    const { entries, nextCursor } = await cache.list({ namespace: name, limit: 1_000, cursor })
    for (const { refId } of entries) if (await deleteIfThere(cache, refId)) deleted++
    if (nextCursor === undefined) return deleted
    cursor = nextCursor
  }
}

async function deleteIfThere(cache: RefCache, refId: RefId): Promise<boolean> {
  try {
    return await cache.delete(refId, { actor: actor.system() })
  } catch (error) {
    if (error instanceof NotFound) return false
    throw error
  }
}

function inMilliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000
}
