import * as z from 'zod'
import type { AnswerLimits } from '../../core/answer-limits.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { CallResponse } from '../../core/response.ts'
import type { RefCache } from '../../ref-cache.ts'
import { ADAPTERS } from '../../ref-cache-adapters.ts'
import { parseSentArguments } from '../arguments.ts'
import { QUERY_CACHED_RESULT_DESCRIPTION, SEARCH_CACHED_RESULT_DESCRIPTION } from '../instructions.ts'
import { limitsOf } from '../limits.ts'
import { inFieldsRead, present } from '../present.ts'
import type { TaskCallOptions } from '../tasks/service.ts'
import { soFarFields, type ToolResult, toResult } from '../wire.ts'
import { define, type OwnTool, ofThisCache, type PollingOptions, type ToolContext, waitsOf } from './tool.ts'

export const QUERY_CACHED_RESULT = 'query_cached_result'

const askArguments = {
  search: z.string().optional().describe('Text or /RE2/i.'),
  context: z.number().optional(),
  max_size: z.number().optional(),
  wait_seconds: z.number().min(0).optional(),
}

const refId = z.string()
const searchArguments = z.strictObject({ ref_id: refId, ...askArguments })
const queryArguments = z.strictObject({
  ref_id: refId,
  sql: z.string().optional(),
  tables: z.record(z.string(), z.string()).optional(),
  ...askArguments,
})

const TABLES = {
  type: 'object',
  description: 'Joins: {name: ref_id}.',
}

type QueryArguments = z.output<typeof queryArguments>

/** `query_cached_result`: with `sql` where SQL can run, with `search` everywhere. */
export function queryCachedResult(cache: RefCache, options: PollingOptions): OwnTool {
  const wait = waitsOf(options)
  const hasSql = cache[ADAPTERS].sqlUnavailable === undefined
  const ask = (args: QueryArguments, context: ToolContext, task?: TaskCallOptions) => {
    const { actor, signal, onProgress, limits = limitsOf() } = context
    const { asyncTimeout = wait.of(args.wait_seconds, limits), ...asTask } = task ?? {}
    const asked = cache.query(args.ref_id, {
      actor,
      signal,
      onProgress,
      sql: args.sql,
      tables: args.tables,
      search: args.search,
      context: args.context,
      maxSize: args.max_size,
      limits,
      wait: asyncTimeout ?? undefined,
      ...asTask,
    })
    return ofThisCache(cache, args.ref_id, asked)
  }
  const schema = hasSql ? queryArguments : searchArguments
  return {
    ...define<z.ZodObject>({
      name: QUERY_CACHED_RESULT,
      title: 'Query cached result',
      countsAsCall: true,
      annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
      description: hasSql ? QUERY_CACHED_RESULT_DESCRIPTION : SEARCH_CACHED_RESULT_DESCRIPTION,
      schema,
      ...(hasSql ? { listed: { tables: TABLES } } : {}),
      run: async (args, context) =>
        presentAnswer(await ask(args as QueryArguments, context), context.limits ?? limitsOf()),
    }),
    asTask: {
      start: async (args, context, task) =>
        ask(parseSentArguments<z.ZodObject>(schema, args) as QueryArguments, context, task),
      present: presentAnswer,
    },
  }
}

/** The answer of a question: of SQL a table, of a search what matched. */
export function presentAnswer(answer: CallResponse, limits: AnswerLimits): ToolResult {
  const whole = wholeTable(answer) ?? wholeMatches(answer)
  return whole ? inFieldsRead(toResult(whole), limits.reads) : present(answer, { limits })
}

/** An answer that is whole is its reference and a dense table, and nothing else. */
function wholeTable(answer: CallResponse): JsonObject | undefined {
  if (answer.status !== 'complete' || !answer.isComplete || !Array.isArray(answer.value)) return undefined
  const rows = answer.value
  if (!rows.every((row): row is JsonObject => isJsonObject(row))) return undefined
  const { refId, message } = answer
  const soFar = soFarFields(answer)
  if (rows.length === 0) {
    return { ref_id: refId, rows: [], ...soFar, ...(message === undefined ? {} : { message }) }
  }
  const columns = Object.keys(rows[0] ?? {})
  return { ref_id: refId, columns, rows: rows.map(row => Object.values(row)), ...soFar }
}

/** The same of a search: what matched, beside the reference. */
function wholeMatches(answer: CallResponse): JsonObject | undefined {
  const isWhole = answer.status === 'complete' && answer.isComplete
  return isWhole && isJsonObject(answer.value)
    ? { ref_id: answer.refId, ...answer.value, ...soFarFields(answer) }
    : undefined
}
