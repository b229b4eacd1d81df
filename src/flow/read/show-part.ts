import { type AnswerLimits, budgetWithin } from '../../core/answer-limits.ts'
import { stringifyJson } from '../../core/json-text.ts'
import type { CacheResponse } from '../../core/response.ts'
import {
  measure,
  type Rendering,
  type RenderRequest,
  render,
  renderPart,
  type Size,
  type Source,
} from '../../preview/preview.ts'
import { previewBudget } from './limits.ts'
import type { Opened } from './open-value.ts'
import type { Sources } from './values.ts'

/** What is asked for, and by whom. */
export interface ShowRequest extends RenderRequest {
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
export type Answer = Rendering & {
  readonly isAllShown?: true
} & Pick<CacheResponse, 'about' | 'meta' | 'isToolResult' | 'isReference'>

/** As much of the value as its budget holds; it may be all of it. */
export async function showPart(sources: Sources, request: ShowRequest): Promise<Answer> {
  const { whole, shown, projected, passes } = sources
  const rendering = await renderWithin(shown, request)
  if (!passes) return asPart(rendering, request, await measure(whole, request.sizeMode))
  // Media are only noted in what is shown.
  const isAll = request.limits !== undefined && rendering.kind === 'whole' && !projected?.mediaBytes
  const answer: Answer = isAll ? { ...rendering, isReference: true } : asPart(rendering, request)
  if (!projected) return answer
  return withFacts(answer, projected)
}

type Facts = Pick<CacheResponse, 'about' | 'meta'>

function withFacts(answer: Answer, { about, meta }: Facts): Answer {
  return { ...answer, ...(about ? { about } : {}), ...(meta ? { meta } : {}) }
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
export async function showSegments(
  { content, facts }: Opened & { kind: 'segments' },
  request: ShowRequest,
): Promise<Answer> {
  const { page, strategy, limits, maxSize } = request
  if (page !== undefined) return renderPart(content, request)
  const show = (size: number) => renderPart(content, { ...request, maxSize: size })
  const shown = limits && strategy !== 'paginate' ? withinCharacters(limits, maxSize, show) : show(maxSize)
  return withFacts(await shown, facts)
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
