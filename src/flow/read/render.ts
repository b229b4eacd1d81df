import { type AnswerLimits, budgetWithin, narrower, type TextLimit } from '../../core/answer-limits.ts'
import type { ValuedEntry } from '../../core/entry.ts'
import { hasEqualMembers } from '../../core/equal.ts'
import { InvalidArgument, ValueTooLarge } from '../../core/errors.ts'
import { parseJson, stringifyJson } from '../../core/json-text.ts'
import { checkCount } from '../../core/options.ts'
import type { Part } from '../../core/part.ts'
import type { CacheResponse } from '../../core/response.ts'
import type { DenseTable } from '../../preview/dense.ts'
import {
  measure,
  type Rendering,
  type RenderRequest,
  render,
  renderPart,
  type Size,
  type SizeMode,
  type Source,
  sizeWithin,
} from '../../preview/preview.ts'
import type { Shown } from '../../values/projection.ts'
import type { Engine } from '../engine.ts'
import { checkCeiling, limitsFor, previewBudget, sizeReadWithin } from './limits.ts'
import { nextStep } from './next-step.ts'
import { type Opened, openValue } from './open-value.ts'
import type { Sources } from './values.ts'
import { wrappingOf } from './values.ts'

/** Which part of a value is asked for, and in which size. */
export interface RenderOptions {
  page?: number | undefined
  pageSize?: number | undefined
  maxSize?: number | undefined
  full?: boolean | undefined
  /** What of the value is asked for, where that is not all of it. */
  part?: Part | undefined
  /** What the reader of the answer can take, for adapters. Absent: `maxSize` is the line between the value and a preview of it. */
  limits?: AnswerLimits | undefined
  /** The reference is wanted: however small it is, the value does not pass as it is. For adapters. */
  asReference?: boolean | undefined
}

/** What is asked for, and by whom. */
interface ShowRequest extends RenderRequest {
  /** The caller itself set the budget. */
  readonly asked: boolean
  /** Somebody set the budget. */
  readonly isSet: boolean
  readonly limits: AnswerLimits | undefined
  readonly asReference: boolean
  /** A value with more JSON than this is not handed out unasked, however little of it is read. */
  readonly maxWholeBytes: number
  /** The same where what is more than that is media. */
  readonly maxMediaBytes: number
}

/** A rendering, and what the entry's projection says besides. */
type Answer = Rendering & {
  readonly isAllShown?: true
} & Pick<CacheResponse, 'about' | 'meta' | 'isToolResult' | 'isReference'>

/** The value of an entry, whole or as much of it as was asked for and fits. Authorized by `reply`. */
export async function showValue(
  engine: Engine,
  entry: ValuedEntry,
  options: RenderOptions,
): Promise<CacheResponse> {
  if (options.full) return showFull(engine, entry, options)
  const request = renderRequest(engine, entry, options)
  const opened = await openValue(engine, entry, options.part)
  if (opened.kind === 'segments' && !(await mayBeWhole(opened, entry, request))) {
    return present(entry, await showSegments(opened, request), request.sizeMode)
  }
  const sources = await sourcesIn(opened)
  // An image that was asked for by its own name is wanted whole.
  if (options.part && sources.projected?.mediaBytes) {
    return showFull(engine, entry, { part: options.part, limits: options.limits })
  }
  return present(entry, parseJson(await lastView(sources, request)) as unknown as Answer, request.sizeMode)
}

function sourcesIn(opened: Opened): Sources | Promise<Sources> {
  return opened.kind === 'memory' ? opened.sources : opened.whole()
}

/** An estimate may be wrong by so much. */
const ROUGHLY = 1.5

/** Whether a large value may be within its budget, so that it has to be read to know. */
async function mayBeWhole(
  { content }: Opened & { kind: 'segments' },
  { valueBytes }: ValuedEntry,
  { page, asReference, maxSize, maxWholeBytes, limits, sizeMode }: ShowRequest,
): Promise<boolean> {
  if (page !== undefined || asReference || valueBytes > maxWholeBytes) return false
  const { tokens = 0, characters = 0 } = limits?.inline ?? {}
  const { size } = await content.size(sizeMode)
  return size <= ROUGHLY * Math.max(maxSize, tokens, characters)
}

/** Made once for all who ask for the same at the same time, or one after the other. */
function lastView(sources: Sources, request: ShowRequest): Promise<string> {
  if (sources.last && hasEqualMembers(sources.last.request, request)) return sources.last.rendered
  const rendered = make(sources, request).then(made => stringifyJson(made))
  const last = { request, rendered }
  sources.last = last
  rendered.catch(() => {
    if (sources.last === last) delete sources.last
  })
  return rendered
}

async function make(sources: Sources, request: ShowRequest): Promise<Answer> {
  const { whole, shown, projected } = sources
  if (request.page !== undefined) return render(shown, request)
  const size = request.asReference ? undefined : await sizeToPass(sources, request)
  if (size === undefined) return notPassing(sources, request)
  const { totalItems } = whole
  return {
    kind: 'whole',
    value: parseJson(whole.json),
    size,
    ...(projected?.isToolResult || totalItems === undefined ? {} : { totalItems }),
    ...toolResult(projected),
  }
}

/** A value of which a preview could show so much is given whole, unless the caller itself set the budget. */
const NEARLY_ALL = 0.9

/** The size of a value that passes as it is: all that is read of it fits, and the rest is within reason. */
async function sizeToPass(sources: Sources, request: ShowRequest): Promise<number | undefined> {
  const { whole, shown, projected, passes } = sources
  const { sizeMode, asked, limits } = request
  // A preview of nearly all of a value would save nothing.
  const maxSize = asked ? request.maxSize : Math.floor(request.maxSize / NEARLY_ALL)
  if (!passes) return sizeWithin(whole.json, sizeMode, maxSize)
  if (projected && isBeyondReason(whole.json.length, projected, request)) return undefined
  if (limits)
    return sizeReadWithin(
      sources,
      limits.reads,
      asked ? inMode(maxSize, sizeMode) : unasked(limits, projected),
    )
  if (!projected) return sizeWithin(whole.json, sizeMode, maxSize)
  const { wholeUpTo = 0 } = projected
  const perToken = sizeMode === 'token' ? 1 : 4
  const limit = asked ? maxSize : Math.max(maxSize, wholeUpTo * perToken)
  const { fields } = projected
  if (fields && (await sizeWithin(fields.content(), sizeMode, limit)) === undefined) return undefined
  return sizeWithin(shown.json, sizeMode, limit)
}

/** A client that counts its answers takes an image as one, however many bytes that has. */
function isBeyondReason(
  bytes: number,
  { mediaBytes = 0 }: Shown,
  { limits, maxWholeBytes, maxMediaBytes }: ShowRequest,
): boolean {
  return limits ? bytes > maxMediaBytes || bytes - mediaBytes > maxWholeBytes : bytes > maxWholeBytes
}

function inMode(size: number, sizeMode: SizeMode): TextLimit {
  return sizeMode === 'token' ? { tokens: size } : { characters: size }
}

/** The inline limit; what another wrapper cut already may have more. */
function unasked({ inline, ceiling }: AnswerLimits, projected: Shown | undefined): TextLimit {
  const { wholeUpTo = 0 } = projected ?? {}
  return wholeUpTo > (inline.tokens ?? wholeUpTo) ? narrower({ tokens: wholeUpTo }, ceiling) : inline
}

/** As much of the value as its budget holds; it may be all of it. */
async function notPassing(sources: Sources, request: ShowRequest): Promise<Answer> {
  const { whole, shown, projected, passes } = sources
  const rendering = await renderWithin(shown, request)
  if (!passes) return asPart(rendering, request, await measure(whole, request.sizeMode))
  // Media are only noted in what is shown.
  const isAll = request.limits !== undefined && rendering.kind === 'whole' && !projected?.mediaBytes
  const answer: Answer = isAll ? { ...rendering, isReference: true } : asPart(rendering, request)
  if (!projected) return answer
  const { about, meta } = projected
  return {
    ...answer,
    ...(about ? { about } : {}),
    ...(meta ? { meta } : {}),
  }
}

/** Rarely has a text so many characters a token that it takes another try. */
const MOST_TRIES = 4

async function renderWithin(source: Source, request: ShowRequest): Promise<Rendering> {
  const { limits, sizeMode, isSet } = request
  if (!limits) return render(source, request)
  const maxSize = isSet ? request.maxSize : await previewBudget(source, sizeMode, request.maxSize)
  return withinCharacters(limits, maxSize, size => render(source, { ...request, maxSize: size }))
}

/** A page or a preview of a large value. It never passes as it is. */
async function showSegments(
  { content, facts }: Opened & { kind: 'segments' },
  request: ShowRequest,
): Promise<Answer> {
  const { page, strategy, limits, maxSize } = request
  if (page !== undefined) return renderPart(content, request)
  const show = (size: number) => renderPart(content, { ...request, maxSize: size })
  const shown = limits && strategy !== 'paginate' ? withinCharacters(limits, maxSize, show) : show(maxSize)
  const { about, meta } = facts
  return { ...(await shown), ...(about ? { about } : {}), ...(meta ? { meta } : {}) }
}

/** With a smaller budget, where what came out has more characters than the reader can take. */
async function withinCharacters<R extends Rendering>(
  { ceiling }: AnswerLimits,
  budget: number,
  render: (maxSize: number) => Promise<R>,
): Promise<R> {
  const room = budgetWithin({ characters: ceiling.characters }, 'character')
  let maxSize = budget
  for (let tries = 1; ; tries++) {
    const rendering = await render(maxSize)
    const { length } = stringifyJson(rendering.kind === 'whole' ? rendering.value : rendering.preview)
    if (length <= room || tries === MOST_TRIES) return rendering
    maxSize = Math.max(1, Math.floor((maxSize * room * 0.9) / length))
  }
}

function toolResult(projected: Shown | undefined): Pick<CacheResponse, 'isToolResult'> {
  return projected?.isToolResult ? { isToolResult: true } : {}
}

/** A projection that fits the budget is still not the whole value. */
function asPart(projected: Rendering, request: ShowRequest, ofWhole?: Size): Answer {
  if (projected.kind === 'part') return projected
  const { value, size, totalItems } = projected
  return {
    kind: 'part',
    preview: value,
    strategy: request.strategy,
    originalSize: ofWhole?.size ?? size,
    ...(ofWhole?.isEstimate ? { originalSizeIsEstimate: true } : {}),
    previewSize: size,
    isAllShown: true,
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
  const sources = await sourcesIn(await openValue(engine, entry, options.part))
  const { whole, projected } = sources
  const bytes = options.part ? Buffer.byteLength(whole.json) : entry.valueBytes
  checkFull(bytes, mediaLimit)
  if (options.limits) await checkCeiling(sources, limitsFor(options.limits, entry.preview))
  // The limit is for text: an image of several megabytes is still one image.
  else checkFull(bytes - (projected?.mediaBytes ?? 0), limit)
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
  const set = options.maxSize ?? entry.preview?.maxSize ?? defaults.setMaxSize
  const limits = options.limits && limitsFor(options.limits, entry.preview)
  const { sizeMode } = defaults
  const largestSize = Math.min(
    // A budget is no way around the ceiling of `full`; a token is about four bytes.
    Math.ceil(engine.settings.fullLimitBytes / (sizeMode === 'token' ? 4 : 1)),
    limits ? budgetWithin(limits.ceiling, sizeMode) : Number.POSITIVE_INFINITY,
  )
  // Who says how many items a page has wants them: up to what would have passed whole.
  const inline = limits && pageSize !== undefined ? budgetWithin(limits.inline, sizeMode) : 0
  const usual = Math.max(defaults.maxSize, inline)
  return {
    maxSize: Math.min(set ?? usual, largestSize),
    largestSize,
    isSet: set !== undefined,
    limits,
    asReference: options.asReference ?? false,
    sizeMode,
    strategy: entry.preview?.strategy ?? defaults.strategy,
    // A program that reads previews itself wants the records.
    dense: limits !== undefined,
    asked: options.maxSize !== undefined,
    maxWholeBytes: engine.settings.fullLimitBytes,
    maxMediaBytes: wrappingOf(engine, entry)?.fullLimitBytes ?? engine.settings.fullLimitBytes,
    // A page size asks for pages: from the first.
    ...(page === undefined && pageSize === undefined ? {} : { page: page ?? 1 }),
    ...(pageSize === undefined ? {} : { pageSize }),
  }
}

function present({ refId }: ValuedEntry, answer: Answer, sizeMode: SizeMode): CacheResponse {
  if (answer.kind === 'whole') {
    const { kind: _, ...whole } = answer
    return { refId, status: 'complete', isAsync: false, isComplete: true, ...whole }
  }
  const {
    kind: _,
    strategy,
    isOnePage,
    isAllShown,
    isDense,
    restSize,
    slicedItem,
    preview,
    ...fields
  } = answer
  return {
    refId,
    status: 'complete',
    isAsync: false,
    isComplete: false,
    ...(isDense ? (preview as unknown as DenseTable) : { preview }),
    previewStrategy: strategy,
    ...fields,
    message: nextStep(answer, sizeMode),
  }
}
