import { toDate } from '../../core/clock.ts'
import { RefCacheError, StoreUnavailable, UnreadableValue } from '../../core/errors.ts'
import type { RefId } from '../../core/ref.ts'
import type { AsyncTaskResponse, CallResponse } from '../../core/response.ts'
import { ADAPTERS } from '../../ref-cache-adapters.ts'
import type { Detail, EntryGraph, Linked, Size } from '../api.ts'
import { toTables } from './columns.ts'
import { defined, toRow } from './rows.ts'
import type { Opened, Seen, Sight } from './sight.ts'

/** All that is told of one entry, but its value. @throws NotFound */
export async function detailOf(sight: Sight, refId: RefId): Promise<Detail> {
  const opened = await sight.open(refId)
  const { cache, actor } = opened
  const seen = await sight.entry(refId)
  const status = await standing(opened, refId)
  const links = await cache[ADAPTERS].linksOf(refId, actor)
  const usedBy = links.usedBy.map(toLinked)
  return {
    // Links are cut where there are very many: what is counted comes first.
    row: toRow({ ...(usedBy.length > 0 ? { usedBy: usedBy.length } : {}), ...withWords(seen, status) }),
    ...taskOf(status),
    ...(seen.may.includes('read') ? { tables: await tablesOf(opened, refId) } : {}),
    uses: links.uses.map(toLinked),
    usedBy,
  }
}

/** Of a task without a value all that is told, its attempts too. The value itself is not read. */
async function standing({ cache, actor }: Opened, refId: RefId): Promise<CallResponse> {
  const status = await cache.taskStatus(refId, { actor })
  return status.status === 'complete' ? status : cache.get(refId, { actor, responseFormat: 'full' })
}

/** An operator's lists are without words. Who opens an entry reads them. */
function withWords(seen: Seen, status: CallResponse): Seen {
  const progress = status.status === 'complete' ? undefined : status.progress
  return progress ? { ...seen, progress } : seen
}

function taskOf(status: CallResponse): Pick<Detail, 'error' | 'retryHistory' | 'questions'> {
  if (status.status === 'complete') return {}
  const { error, retryHistory, inputRequests } = { error: undefined, ...status }
  return defined({
    error,
    retryHistory: retryHistory?.map(({ attempt, error: { code }, at }) => ({
      attempt,
      code,
      at: toDate(at).toISOString(),
    })),
    questions: inputRequests && questionsOf(inputRequests),
  })
}

type InputRequests = NonNullable<AsyncTaskResponse['inputRequests']>

function questionsOf(requests: InputRequests): NonNullable<Detail['questions']> {
  return Object.fromEntries(
    Object.entries(requests).map(([key, { method, params }]) => {
      if (method === 'sampling/createMessage')
        return [key, { message: 'It asks the model of its client.', isForModel: true }]
      const { message, mode, requestedSchema, url } = params
      const asked = mode === 'url' ? { url: String(url) } : { schema: requestedSchema }
      return [key, { message: String(message), ...asked }]
    }),
  )
}

async function tablesOf({ cache, actor }: Opened, refId: RefId) {
  return toTables(await cache[ADAPTERS].valueTables(refId, actor))
}

function toLinked({
  refId,
  toolName,
  ...link
}: { refId: RefId; toolName?: string } & Pick<Linked, 'status' | 'how'>): Linked {
  return { ref: refId, ...(toolName === undefined ? {} : { tool: toolName }), ...link }
}

/** What an entry was made of, and what was made of it, over several steps. @throws NotFound */
export async function entryGraphOf(sight: Sight, refId: RefId): Promise<EntryGraph> {
  const { cache, actor } = await sight.open(refId)
  const { nodes, edges, more } = await cache[ADAPTERS].graphOf(refId, actor)
  return {
    nodes: nodes.map(({ refId: ref, toolName: tool, ...node }) => defined({ ref, tool, ...node })),
    edges,
    ...(more === 0 ? {} : { more }),
  }
}

/** What some values are. What the one who looks may not read, or what is not there, is left out. @throws StoreUnavailable */
export async function sizesOf(sight: Sight, refs: readonly RefId[]): Promise<Size[]> {
  const sizes: Size[] = []
  for (const ref of refs) {
    const size = await sizeOf(sight, ref).catch(leaveOut)
    if (size) sizes.push(size)
  }
  return sizes
}

/** One value that cannot be told does not take the others with it; a store that is away does. */
function leaveOut(error: unknown): undefined {
  const isStoreAway = error instanceof StoreUnavailable && !(error instanceof UnreadableValue)
  if (isStoreAway || !(error instanceof RefCacheError)) throw error
}

async function sizeOf(sight: Sight, ref: RefId): Promise<Size | undefined> {
  const { cache, actor } = await sight.open(ref)
  const value = await cache[ADAPTERS].valueKind(ref, actor)
  return value && { ref, kind: kindInWords(value), tokens: value.tokens, tokensAreEstimated: true }
}

type Kind = NonNullable<Awaited<ReturnType<Opened['cache'][typeof ADAPTERS]['valueKind']>>>

function kindInWords({ kind, count = 0, isTable }: Kind): string {
  const number = count.toLocaleString('en-US')
  const of = (one: string) => `${number} ${one}${count === 1 ? '' : 's'}`
  switch (kind) {
    case 'list':
      return `list of ${of(isTable ? 'record' : 'item')}`
    case 'object':
      return `object of ${of('member')}`
    case 'text':
      return `text of ${of('line')}`
    default:
      return kind
  }
}
