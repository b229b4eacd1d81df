import * as z from 'zod'
import type { RefCache } from '../../ref-cache.ts'
import { RESPONSE_FORMAT_ARGUMENT, responseFormat } from '../arguments.ts'
import {
  CANCEL_TASK_DESCRIPTION,
  GET_CACHED_RESULT_DESCRIPTION,
  RETRY_TASK_DESCRIPTION,
} from '../instructions.ts'
import { limitsOf } from '../limits.ts'
import { inFieldsRead, present, presentCall } from '../present.ts'
import { toCancelResult, toToolResult } from '../wire.ts'
import { define, type OwnTool, ofThisCache, type PollingOptions, waitsOf } from './tool.ts'

const refId = z.string()
const count = z.int().min(1)

/** Every word of it is in the list of tools that a model reads: what the names say needs no other. */
const getArguments = z.strictObject({
  ref_id: refId.describe('Or a part: ref_id#/json/pointer, ref_id#L10-L20.'),
  page: count.optional(),
  page_size: count.optional(),
  max_size: count.optional().describe('Tokens.'),
  full: z.boolean().optional().describe('All, as the tool gave it.'),
  keep_seconds: count.optional(),
  wait_seconds: z.number().min(0).optional(),
  [RESPONSE_FORMAT_ARGUMENT]: responseFormat.optional(),
})

const steerArguments = z.strictObject({ ref_id: refId })

/** The tools through which an agent follows references: `get_cached_result`, `cancel_task`, `retry_task`. */
export function pollingTools(cache: RefCache, options: PollingOptions = {}): OwnTool[] {
  return [getCachedResult(cache, options), cancelTask(cache), retryTask(cache)]
}

function getCachedResult(cache: RefCache, options: PollingOptions): OwnTool {
  const wait = waitsOf(options)
  return define({
    name: 'get_cached_result',
    title: 'Get cached result',
    description: GET_CACHED_RESULT_DESCRIPTION,
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    schema: getArguments,
    listed: { wait_seconds: wait.listed },
    run: async (args, { actor, signal, onProgress, limits = limitsOf() }) => {
      const asked = cache.get(args.ref_id, {
        actor,
        signal,
        onProgress,
        page: args.page,
        pageSize: args.page_size,
        maxSize: args.max_size,
        full: args.full,
        limits,
        ...(args.keep_seconds === undefined ? {} : { keep: args.keep_seconds * 1000 }),
        wait: wait.of(args.wait_seconds, limits),
        responseFormat: args._async_response_format,
      })
      const answer = await ofThisCache(cache, args.ref_id, asked)
      return args.full ? presentCall(answer, { limits }) : present(answer, { limits })
    },
  })
}

function cancelTask(cache: RefCache): OwnTool {
  return define({
    name: 'cancel_task',
    title: 'Cancel task',
    description: CANCEL_TASK_DESCRIPTION,
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    schema: steerArguments,
    run: async (args, { actor, limits }) => {
      const asked = cache.cancelTask(args.ref_id, { actor })
      return inFieldsRead(toCancelResult(await ofThisCache(cache, args.ref_id, asked)), limits?.reads)
    },
  })
}

function retryTask(cache: RefCache): OwnTool {
  return define({
    name: 'retry_task',
    title: 'Retry task',
    countsAsCall: true,
    description: RETRY_TASK_DESCRIPTION,
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
    schema: steerArguments,
    run: async (args, { actor, limits }) => {
      const asked = cache.retryTask(args.ref_id, { actor })
      return inFieldsRead(toToolResult(await ofThisCache(cache, args.ref_id, asked)), limits?.reads)
    },
  })
}
