import type { Clock } from '../../core/clock.ts'
import {
  failure,
  isStateless,
  type RpcError,
  RpcErrorCode,
  type RpcRequest,
  type RpcResponse,
} from '../rpc.ts'
import { within } from './deadline.ts'
import type { Member } from './member.ts'

/** Until a server that does not answer counts as one that has no such resource. */
const PATIENCE_MS = 30_000

export interface FromAny {
  /** The server that answered; nothing where none has the resource. */
  readonly member?: Member
  readonly response: RpcResponse
}

/** Reads a resource that nobody lists: whichever server has it gives it. All are asked at once, as some may not answer. */
export async function readFromAny(
  members: readonly Member[],
  request: RpcRequest,
  clock: Clock,
): Promise<FromAny> {
  const { id, method, params = {} } = request
  let refusal: FromAny | undefined
  const ask = async (member: Member, signal: AbortSignal): Promise<FromAny> => {
    const answer = { member, response: { ...(await member.request(method, params, signal)), id } }
    if ('result' in answer.response) return answer
    if (!isNotFound(answer.response)) refusal ??= answer
    throw new Error('It has no such resource.')
  }
  const asked = members.filter(({ isReady, lists }) => isReady && !lists.isOverdue('resources'))
  return within(clock, PATIENCE_MS, signal => Promise.any(asked.map(member => ask(member, signal)))).catch(
    () => refusal ?? { response: failure(id, noResource(request)) },
  )
}

const RESOURCE_NOT_FOUND = -32_002

function isNotFound(response: RpcResponse): boolean {
  if (!('error' in response)) return false
  return [RESOURCE_NOT_FOUND, RpcErrorCode.invalidParams].includes(Number(response.error.code))
}

/** As each revision says so. */
function noResource({ params = {} }: RpcRequest): RpcError {
  const code = isStateless(params) ? RpcErrorCode.invalidParams : RESOURCE_NOT_FOUND
  return { code, message: 'None of the servers has this resource.', data: { uri: params.uri ?? null } }
}
