import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { onTestFinished } from 'vitest'
import { openInspector } from '../../../src/inspect/index.ts'
import type { RefCacheOptions } from '../../../src/ref-cache-options.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { type UiHandlerOptions, uiHandler } from '../../../src/ui/index.ts'
import { EventStreams, type StreamLimits } from '../../../src/ui/server/events.ts'
import { OperatorSight } from '../../../src/ui/server/operator-sight.ts'
import { PageFiles } from '../../../src/ui/server/page-files.ts'
import { answer } from '../../../src/ui/server/routes.ts'
import { deferred, scene } from '../flow/scene.ts'

const BASE = 'http://127.0.0.1:4000/'

export type Ask = (path: string, init?: RequestInit) => Promise<Response>

/** What JSON says, for a test to look at. */
export type Parsed = ReturnType<typeof JSON.parse>

/** What a look at a route gives, as JSON. */
export async function jsonOf(response: Promise<Response>): Promise<Parsed> {
  return (await response).json()
}

export function request(path: string, init: RequestInit = {}): Request {
  return new Request(new URL(path, BASE), init)
}

/** As the page asks for something to be done. */
export function post(body: unknown, headers: Record<string, string> = {}): RequestInit {
  const own = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin', ...headers }
  return { method: 'POST', headers: own, body: JSON.stringify(body) }
}

/** Files of a page that is not there. */
export function pageFolder(): URL {
  const folder = mkdtempSync(join(tmpdir(), 'ui-page-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>page</title>')
  writeFileSync(join(folder, 'page.js'), 'export {}')
  return pathToFileURL(`${folder}/`)
}

/** A cache in a store, and its operator at the page. */
export function operatorLooks({ limits, ...options }: RefCacheOptions & { limits?: StreamLimits } = {}) {
  const store = options.store ?? memoryStore()
  const { cache, clock } = scene({ ...options, store })
  const inspector = openInspector(store, { clock, progressMessages: true })
  const sight = new OperatorSight({ inspector, cacheOf: () => cache, clock })
  const streams = new EventStreams(clock, limits)
  const context = { files: new PageFiles(pageFolder()), streams, clock }
  onTestFinished(() => {
    streams.close()
    return cache.close({ drain: 0 })
  })
  const ask: Ask = (path, init) =>
    answer(request(path, init), { sight, name: 'operator', isStillIn: () => true }, context)
  return { cache, clock, store, streams, ask }
}

/** A cache of a server, with the page behind its authentication: the header `who` says who asks. */
export function actorsLook(actorOf: UiHandlerOptions['actor'], options: RefCacheOptions = {}) {
  const { cache, clock } = scene(options)
  const handler = uiHandler(cache, { actor: actorOf, clock })
  onTestFinished(() => {
    handler.close()
    return cache.close({ drain: 0 })
  })
  const as =
    (who: string): Ask =>
    (path, init = {}) => {
      const headers = new Headers(init.headers)
      headers.set('who', who)
      return handler(request(path, { ...init, headers }))
    }
  return { cache, clock, handler, as }
}

/** A tool whose one run goes on until it is told to end. */
export function slowTool(cache: ReturnType<typeof scene>['cache'], name = 'slow') {
  const work = deferred()
  let report: (current: number, total: number, message: string) => void = () => {}
  const call = cache.cached({ name, asyncTimeout: 0, memoize: false }, (_: object, task) => {
    report = (...progress) => task.progress(...progress)
    return work.promise
  })
  return { call, report: (...progress: Parameters<typeof report>) => report(...progress), end: work.resolve }
}
