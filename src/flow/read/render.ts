import { type AnswerLimits, budgetWithin, narrower, type TextLimit } from '../../core/answer-limits.ts'
import type { ValuedEntry } from '../../core/entry-value.ts'
import { hasEqualMembers } from '../../core/equal.ts'
import { InvalidArgument, ValueTooLarge } from '../../core/errors.ts'
import { parseJson, stringifyJson } from '../../core/json-text.ts'
import { checkCount } from '../../core/options.ts'
import type { Part } from '../../core/part.ts'
import type { CacheResponse } from '../../core/response.ts'
import type { DenseTable } from '../../preview/dense.ts'
import { measure, render, type SizeMode, sizeWithin } from '../../preview/preview.ts'
import { channels, isHeard, trace } from '../../telemetry/channels.ts'
import type { RenderMessage } from '../../telemetry/messages.ts'
import type { Shown } from '../../values/projection.ts'
import type { Engine } from '../engine.ts'
import { checkCeiling, limitsFor, sizeReadWithin } from './limits.ts'
import { nextStep } from './next-step.ts'
import { type Opened, openValue } from './open-value.ts'
import { type Answer, type ShowRequest, showPart, showSegments } from './show-part.ts'
import type { Sources } from './values.ts'
import { wrappingOf } from './values.ts'

/** Which part of a value is asked for, and in which size. */
export interface RenderOptions {
  page?: number | undefined
  pageSize?: number | undefined
  maxSize?: number | undefined
  full?: boolean | undefined
  /** Ends what takes long, with its reason. */
  signal?: AbortSignal | undefined
  /** What of the value is asked for, where that is not all of it. */
  part?: Part | undefined
  /** What the reader of the answer can take, for adapters. Absent: `maxSize` is the line between the value and a preview of it. */
  limits?: AnswerLimits | undefined
  /** The reference is wanted: however small it is, the value does not pass as it is. For adapters. */
  asReference?: boolean | undefined
}

/** The value of an entry, whole or as much of it as was asked for and fits. Authorized by `reply`. */
export function showValue(
  engine: Engine,
  entry: ValuedEntry,
  options: RenderOptions,
): Promise<CacheResponse> {
  if (!isHeard(channels.render)) return makeShown(engine, entry, options)
  const { refId, toolName, valueBytes } = entry
  const tool = toolName === undefined ? undefined : engine.toolLabel(toolName)
  const message: RenderMessage = { cache: engine.name, tool, refId, valueBytes }
  return trace(channels.render, message, () => makeShown(engine, entry, options))
}

async function makeShown(engine: Engine, entry: ValuedEntry, options: RenderOptions): Promise<CacheResponse> {
  if (options.full) return showFull(engine, entry, options)
  const request = renderRequest(engine, entry, options)
  const opened = await openValue(engine, entry, options.part)
  if (opened.kind === 'segments' && !(await mayBeWhole(opened, entry, request))) {
    // Who had gone before is answered as ever: with what there is.
    const signal = options.signal?.aborted ? undefined : options.signal
    const shown = await showSegments(opened, { ...request, signal })
    return present(entry, shown, request.sizeMode)
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
  if (size === undefined) return showPart(sources, request)
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

function toolResult(projected: Shown | undefined): Pick<CacheResponse, 'isToolResult'> {
  return projected?.isToolResult ? { isToolResult: true } : {}
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
