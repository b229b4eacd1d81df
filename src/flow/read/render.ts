import type { ValuedEntry } from '../../core/entry.ts'
import { InvalidArgument, ValueTooLarge } from '../../core/errors.ts'
import { parseJson, stringifyJson } from '../../core/json-text.ts'
import { checkCount } from '../../core/options.ts'
import type { Part } from '../../core/part.ts'
import type { CacheResponse } from '../../core/response.ts'
import { measure, type Rendering, type RenderRequest, render, sizeWithin } from '../../preview/preview.ts'
import type { Shown } from '../../values/projection.ts'
import type { Engine } from '../engine.ts'
import { partSources } from './part-sources.ts'
import type { Sources } from './values.ts'
import { sourcesOf, wrappingOf } from './values.ts'

/** Which part of a value is asked for, and in which size. */
export interface RenderOptions {
  page?: number | undefined
  pageSize?: number | undefined
  maxSize?: number | undefined
  full?: boolean | undefined
  /** What of the value is asked for, where that is not all of it. */
  part?: Part | undefined
}

/** What is asked for, and by whom. */
interface ShowRequest extends RenderRequest {
  /** The caller itself set the budget. */
  readonly asked: boolean
  /** A value with more JSON than this is not handed out unasked, however little of it is read. */
  readonly maxWholeBytes: number
}

/** A rendering, and what the entry's projection says besides. */
type Answer = Rendering & Pick<CacheResponse, 'path' | 'about' | 'meta' | 'isToolResult'>

/** The value of an entry, whole or as much of it as was asked for and fits. Authorized by `reply`. */
export async function showValue(
  engine: Engine,
  entry: ValuedEntry,
  options: RenderOptions,
): Promise<CacheResponse> {
  if (options.full) return showFull(engine, entry, options)
  const request = renderRequest(engine, entry, options)
  const sources = await askedSources(engine, entry, options)
  // An image that was asked for by its own name is wanted whole.
  if (options.part && sources.projected?.mediaBytes) return showFull(engine, entry, { part: options.part })
  return present(entry, parseJson(await lastView(sources, request)) as unknown as Answer)
}

function askedSources(engine: Engine, entry: ValuedEntry, { part }: RenderOptions): Promise<Sources> {
  return part ? partSources(engine, entry, part) : sourcesOf(engine, entry)
}

/** Made once for all who ask for the same at the same time, or one after the other. */
function lastView(sources: Sources, request: ShowRequest): Promise<string> {
  const key = JSON.stringify(request)
  if (sources.last?.request === key) return sources.last.rendered
  const rendered = make(sources, request).then(made => stringifyJson(made))
  const last = { request: key, rendered }
  sources.last = last
  rendered.catch(() => {
    if (sources.last === last) delete sources.last
  })
  return rendered
}

async function make(sources: Sources, request: ShowRequest): Promise<Answer> {
  const { whole, shown, paged, passes, projected } = sources
  if (request.page !== undefined) return withPath(await render(paged, request), projected)
  if (!passes) {
    const answer = await render(whole, request)
    return answer.kind === 'whole' ? answer : asPart(await render(shown, request), request, answer)
  }
  if (!projected) return render(whole, request)
  const size = await passingSize(sources, request)
  if (size !== undefined) {
    return { kind: 'whole', value: parseJson(whole.json), size, ...toolResult(projected) }
  }
  const pages = request.strategy === 'paginate'
  const answer = asPart(await render(pages ? paged : shown, request), request)
  const { about, meta } = projected
  return {
    ...(pages ? withPath(answer, projected) : answer),
    ...(about ? { about } : {}),
    ...(meta ? { meta } : {}),
  }
}

/** The size of what is shown, if the whole value may pass: all that a model reads of it fits, and the rest is within reason. */
async function passingSize(
  { whole, shown, projected }: Sources,
  request: ShowRequest,
): Promise<number | undefined> {
  const { sizeMode, maxWholeBytes } = request
  if (whole.json.length > maxWholeBytes) return undefined
  const perToken = sizeMode === 'token' ? 1 : 4
  const limit = request.asked
    ? request.maxSize
    : Math.max(request.maxSize, (projected?.wholeUpTo ?? 0) * perToken)
  if (projected?.reads !== undefined && (await sizeWithin(projected.reads, sizeMode, limit)) === undefined)
    return undefined
  return sizeWithin(shown.json, sizeMode, limit)
}

function toolResult(projected: Shown | undefined): Pick<CacheResponse, 'isToolResult'> {
  return projected?.isToolResult ? { isToolResult: true } : {}
}

function withPath(answer: Answer, projected: Shown | undefined): Answer {
  return projected?.list ? { ...answer, path: projected.list.path } : answer
}

/** A projection that fits the budget is still not the whole value. */
function asPart(
  projected: Rendering,
  request: ShowRequest,
  ofWhole?: Rendering & { kind: 'part' },
): Rendering {
  if (projected.kind === 'part') return projected
  const { value, size, totalItems } = projected
  return {
    kind: 'part',
    preview: value,
    strategy: request.strategy,
    originalSize: ofWhole?.originalSize ?? size,
    ...(ofWhole?.originalSizeIsEstimate ? { originalSizeIsEstimate: true } : {}),
    previewSize: size,
    ...(totalItems === undefined ? {} : { totalItems }),
  }
}

async function showFull(engine: Engine, entry: ValuedEntry, options: RenderOptions): Promise<CacheResponse> {
  if (options.page !== undefined || options.pageSize !== undefined || options.maxSize !== undefined) {
    throw new InvalidArgument('`full` gives the whole value: leave out page, page_size and max_size.')
  }
  const limit = engine.settings.fullLimitBytes
  const mediaLimit = Math.max(limit, wrappingOf(engine, entry)?.fullLimitBytes ?? 0)
  if (!options.part) checkFull(entry.valueBytes, mediaLimit)
  const { whole, projected } = await askedSources(engine, entry, options)
  const bytes = options.part ? Buffer.byteLength(whole.json) : entry.valueBytes
  checkFull(bytes, mediaLimit)
  // The limit is for text: an image of several megabytes is still one image.
  checkFull(bytes - (projected?.mediaBytes ?? 0), limit)
  const { sizeMode, maxSize } = engine.settings.preview
  const size = (await sizeWithin(whole.json, sizeMode, maxSize)) ?? (await measure(whole, sizeMode)).size
  return {
    refId: entry.refId,
    status: 'complete',
    isComplete: true,
    isAsync: false,
    value: parseJson(whole.json),
    size,
    ...toolResult(projected),
  }
}

function checkFull(bytes: number, limit: number): void {
  if (bytes <= limit) return
  throw new ValueTooLarge(
    `The whole value has ${bytes} bytes of JSON; at most ${limit} are given at once. Ask for its pages instead: page: 1, 2, and so on.`,
  )
}

/** The nearest budget wins: the call's, then the tool's, then the cache's. */
function renderRequest(engine: Engine, entry: ValuedEntry, options: RenderOptions): ShowRequest {
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
    asked: options.maxSize !== undefined,
    maxWholeBytes: engine.settings.fullLimitBytes,
    // A page size asks for pages: from the first.
    ...(page === undefined && pageSize === undefined ? {} : { page: page ?? 1 }),
    ...(pageSize === undefined ? {} : { pageSize }),
  }
}

function present({ refId }: ValuedEntry, answer: Answer): CacheResponse {
  if (answer.kind === 'whole') {
    const { kind: _, ...whole } = answer
    return { refId, status: 'complete', isAsync: false, isComplete: true, ...whole }
  }
  const { kind: _, strategy, ...fields } = answer
  return {
    refId,
    status: 'complete',
    isAsync: false,
    isComplete: false,
    previewStrategy: strategy,
    ...fields,
    message: howToGoOn(answer),
  }
}

function howToGoOn({ page, totalPages, pageUnit }: Rendering & { kind: 'part' }): string {
  if (page === undefined) {
    return 'Only a preview. For the rest call get_cached_result with this ref_id and page (1, 2, …) or a larger max_size.'
  }
  const joined = pageUnit === 'json' ? ' Pages are slices of one JSON text: join them before parsing.' : ''
  return page < (totalPages ?? 1)
    ? `Page ${page} of ${totalPages}.${joined} Next: get_cached_result with this ref_id and page: ${page + 1}.`
    : `Page ${page} of ${totalPages}, the last.${joined}`
}
