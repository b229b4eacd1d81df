import type { Server, ServerContext } from '@modelcontextprotocol/server'
import * as z from 'zod'
import type { Connection, SendRequest } from '../../agent/tasks/questions.ts'
import { ProtocolFailure } from '../../core/errors.ts'
import { isProtocolError } from '../sdk-shapes.ts'

/** A user may think it over for long; the longest that a timer can wait. */
const TIMEOUT_MS = 2 ** 31 - 1

/** Asks the client on the way of the request that it waits for. */
export function senderOf({ mcpReq: { send } }: ServerContext): SendRequest {
  return sending((request, options) => send(request, z.looseObject({}), options))
}

/** The connection of a request, where it lasts longer than that. */
export function connectionOf(server: Server, { http, sessionId }: ServerContext): Connection | undefined {
  if (http !== undefined && sessionId === undefined) return undefined
  return {
    isReliable: http === undefined,
    async notify(method, params) {
      if (server.transport === undefined) throw new Error('The client is gone.')
      await server.notification({ method, params })
    },
    send: sending((request, options) => server.request(request, z.looseObject({}), options)),
  }
}

type Send = (
  request: Parameters<SendRequest>[0],
  options: { timeout: number; signal: AbortSignal },
) => Promise<object>

function sending(send: Send): SendRequest {
  return async (request, signal) => {
    try {
      return await send(request, { timeout: TIMEOUT_MS, signal })
    } catch (error) {
      if (!isProtocolError(error)) throw error
      throw new ProtocolFailure(error.message, { code: error.code }, { cause: error })
    }
  }
}
