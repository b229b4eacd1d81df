import { onTestFinished } from 'vitest'
import { HttpListener, type ListenOptions } from '../../../src/wrap/http-listener.ts'
import type { Log } from '../../../src/wrap/log.ts'
import type { Wrapper } from '../../../src/wrap/wrap.ts'
import { type Serve, Wired, type WiredOptions } from './wired.ts'

export const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

export interface HttpSceneOptions extends WiredOptions {
  listen?: Partial<ListenOptions>
}

/** `wrap --http` within the process, in front of servers that the test plays: one for each session. */
export async function openHttp(serve: Serve, { listen = {}, ...options }: HttpSceneOptions = {}) {
  const sessions: Wired[] = []
  const privateSession: Wrapper['privateSession'] = channel => {
    const wired = new Wired(serve, { ...options, client: channel })
    sessions.push(wired)
    return wired.session
  }
  const listener = new HttpListener({ privateSession } as Wrapper, { port: 0, log: silent, ...listen })
  const url = await listener.start()
  onTestFinished(async () => {
    await listener.close()
    for (const { cache } of sessions) await cache.close()
  })
  return { url, sessions }
}

export const HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
}

export function initialize(protocolVersion = '2025-11-25', capabilities: object = {}): string {
  const params = { protocolVersion, capabilities, clientInfo: { name: 'c', version: '1' } }
  return JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params })
}
