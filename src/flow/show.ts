import type { CompleteEntry } from '../core/entry.ts'
import { InvalidArgument, ValueTooLarge } from '../core/errors.ts'
import { parseJson, stringifyJson } from '../core/json-text.ts'
import { checkCount } from '../core/options.ts'
import type { CacheResponse } from '../core/response.ts'
import { measure, type View, type ViewRequest, view } from '../preview/preview.ts'
import type { Engine } from './engine.ts'
import type { ReplyOptions } from './reply.ts'
import { readJson, type Sources, sourcesOf } from './values.ts'

/** The value of a complete entry, whole or as much of it as was asked for and fits. Authorized by `reply`. */
export async function showValue(
  engine: Engine,
  entry: CompleteEntry,
  options: ReplyOptions,
): Promise<CacheResponse> {
  if (options.full) return showFull(engine, entry, options)
  const request = viewRequest(engine, entry, options)
  const sources = await sourcesOf(engine, entry)
  return present(entry, parseJson(await lastView(sources, request)) as unknown as View)
}

/** Made once for all who ask for the same at the same time, or one after the other. */
function lastView(sources: Sources, request: ViewRequest): Promise<string> {
  const key = JSON.stringify(request)
  if (sources.last?.request === key) return sources.last.view
  const view = make(sources, request).then(made => stringifyJson(made))
  const last = { request: key, view }
  sources.last = last
  view.catch(() => {
    if (sources.last === last) delete sources.last
  })
  return view
}

async function make({ whole, shown }: Sources, request: ViewRequest): Promise<View> {
  const answer = await view(request.page === undefined ? whole : shown, request)
  if (answer.kind === 'whole' || whole === shown || request.page !== undefined) return answer
  return asPart(await view(shown, request), answer, request)
}

/** A projection that fits the budget is still not the whole value. */
function asPart(projected: View, ofWhole: View & { kind: 'part' }, request: ViewRequest): View {
  if (projected.kind === 'part') return projected
  const { value, size, totalItems } = projected
  return {
    kind: 'part',
    preview: value,
    strategy: request.strategy,
    originalSize: ofWhole.originalSize,
    ...(ofWhole.originalSizeIsEstimate ? { originalSizeIsEstimate: true } : {}),
    previewSize: size,
    ...(totalItems === undefined ? {} : { totalItems }),
  }
}

async function showFull(engine: Engine, entry: CompleteEntry, options: ReplyOptions): Promise<CacheResponse> {
  if (options.page !== undefined || options.pageSize !== undefined || options.maxSize !== undefined) {
    throw new InvalidArgument('`full` gives the whole value: leave out page, page_size and max_size.')
  }
  const limit = engine.settings.fullLimitBytes
  if (entry.valueBytes > limit) {
    throw new ValueTooLarge(
      `The whole value has ${entry.valueBytes} bytes of JSON; at most ${limit} are given at once. Ask for its pages instead: page: 1, 2, and so on.`,
    )
  }
  const json = await readJson(engine, entry)
  const { whole } = await sourcesOf(engine, entry)
  const { size } = await measure(whole, engine.settings.preview.sizeMode)
  return {
    refId: entry.refId,
    status: 'complete',
    isComplete: true,
    isAsync: false,
    value: parseJson(json),
    size,
  }
}

/** The nearest budget wins: the call's, then the tool's, then the cache's. */
function viewRequest(engine: Engine, entry: CompleteEntry, options: ReplyOptions): ViewRequest {
  const { page, pageSize } = options
  const defaults = engine.settings.preview
  if (page !== undefined) checkCount(page, 'page')
  if (pageSize !== undefined) checkCount(pageSize, 'page_size')
  if (options.maxSize !== undefined) checkCount(options.maxSize, 'max_size')
  const asked = options.maxSize ?? entry.preview?.maxSize ?? defaults.maxSize
  return {
    // A budget is no way around the ceiling of `full`; a token is about four bytes.
    maxSize: Math.min(
      asked,
      Math.ceil(engine.settings.fullLimitBytes / (defaults.sizeMode === 'token' ? 4 : 1)),
    ),
    sizeMode: defaults.sizeMode,
    strategy: entry.preview?.strategy ?? defaults.strategy,
    // A page size asks for pages: from the first.
    ...(page === undefined && pageSize === undefined ? {} : { page: page ?? 1 }),
    ...(pageSize === undefined ? {} : { pageSize }),
  }
}

function present({ refId }: CompleteEntry, answer: View): CacheResponse {
  const base = { refId, status: 'complete', isAsync: false } as const
  if (answer.kind === 'whole') {
    const { value, size, totalItems } = answer
    return { ...base, isComplete: true, value, size, ...(totalItems === undefined ? {} : { totalItems }) }
  }
  const { kind: _, strategy, ...fields } = answer
  return {
    ...base,
    isComplete: false,
    previewStrategy: strategy,
    ...fields,
    message: howToGoOn(answer),
  }
}

function howToGoOn({ page, totalPages, pageUnit }: View & { kind: 'part' }): string {
  if (page === undefined) {
    return 'Only a preview. For the rest call get_cached_result with this ref_id and page (1, 2, …) or a larger max_size.'
  }
  const joined = pageUnit === 'json' ? ' Pages are slices of one JSON text: join them before parsing.' : ''
  return page < (totalPages ?? 1)
    ? `Page ${page} of ${totalPages}.${joined} Next: get_cached_result with this ref_id and page: ${page + 1}.`
    : `Page ${page} of ${totalPages}, the last.${joined}`
}
