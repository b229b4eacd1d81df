import { pathToFileURL } from 'node:url'
import { InvalidArgument } from '../../core/errors.ts'
import type { Handler } from '../../core/handler.ts'
import type { StandardSchema } from '../../core/standard-schema.ts'
import type { ToolPlace } from './messages.ts'

/** A tool as a module exports it: with the schemas that run where its handler runs. */
export interface ThreadTool {
  /** @defaultValue the name of the export */
  readonly name?: string | undefined
  readonly handler: Handler<never, unknown>
  /** Validates the input, and makes of it what the handler gets. */
  readonly input?: StandardSchema<unknown> | undefined
  /** Checks what the handler of an adapter's tool (`registerTool`, `refcacheTool`) returns. */
  readonly output?: StandardSchema<unknown> | undefined
}

type Exports = Readonly<Record<string, unknown>>

/** Modules of the user, by URL. Each is loaded once. */
export function loadModule(url: string): Promise<Exports> {
  return import(url) as Promise<Exports>
}

/** @throws InvalidArgument */
export function moduleUrl(module: string | URL, what: string): string {
  if (module instanceof URL) return module.href
  if (typeof module !== 'string' || module === '') {
    throw new InvalidArgument(
      `${what} is the URL or the path of a module, such as new URL('./tools.js', import.meta.url).`,
    )
  }
  return /^[a-z][a-z\d+.-]+:/i.test(module) ? module : pathToFileURL(module).href
}

/** Where a handler is exported; nothing where it is not. A module that does not load here is for the thread to report. */
export async function findHandler(
  modules: readonly string[],
  handler: unknown,
): Promise<Pick<ToolPlace, 'modules' | 'export'> | undefined> {
  for (const url of modules) {
    const exports = await loadModule(url).catch(() => ({}))
    const name = Object.entries(exports).find(
      ([, value]) => value === handler || handlerOf(value) === handler,
    )?.[0]
    if (name !== undefined) return { modules: [url], export: name }
  }
  return undefined
}

/** @throws InvalidArgument where no module has it, or one does not load; its own error is the cause */
export async function findTool(place: ToolPlace): Promise<ThreadTool> {
  const known: string[] = []
  for (const url of place.modules) {
    const exports = await load(url)
    if (place.export !== undefined) return exported(exports, place, url)
    const tools = toolsIn(exports)
    const found = tools.find(({ name }) => name === place.name)
    if (found) return found
    known.push(...tools.map(({ name }) => name))
  }
  throw new InvalidArgument(
    `No module of the threads has the tool '${place.name}'; they have ${listed(known)}. Export its handler under that name, or say where it is with \`run: { module, export }\`.`,
  )
}

async function load(url: string): Promise<Exports> {
  try {
    return await loadModule(url)
  } catch (cause) {
    throw new InvalidArgument(`The module ${baseName(url)} does not load in a thread. ${adviceFor(cause)}`, {
      cause,
    })
  }
}

/** The words of the error may be private: they are in the cause. */
function adviceFor(cause: unknown): string {
  const { code } = (cause ?? {}) as { code?: unknown }
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION') {
    return 'This version of Node does not run TypeScript: give the built file.'
  }
  if (code === 'ERR_MODULE_NOT_FOUND') return 'A file or package is missing.'
  return 'The cause says why.'
}

function exported(exports: Exports, place: ToolPlace, url: string): ThreadTool {
  const name = place.export as string
  if (!Object.hasOwn(exports, name)) {
    throw new InvalidArgument(
      `The module ${baseName(url)} has no export '${name}', which the tool '${place.name}' names; it has ${listed(Object.keys(exports))}.`,
    )
  }
  const value = exports[name]
  const tool = typeof value === 'function' ? { handler: value as ThreadTool['handler'] } : value
  if (isTool(tool)) return tool
  throw new InvalidArgument(
    `The export '${name}' of ${baseName(url)} is no handler: export a function, or an object with a \`handler\`.`,
  )
}

function toolsIn(exports: Exports): Array<ThreadTool & { name: string }> {
  return Object.entries(exports).flatMap(([key, value]) => {
    if (typeof value === 'function') return [{ name: key, handler: value as ThreadTool['handler'] }]
    if (Array.isArray(value)) return value.filter(isTool).map(tool => ({ ...tool, name: tool.name ?? '' }))
    return isTool(value) ? [{ ...value, name: value.name ?? key }] : []
  })
}

function isTool(value: unknown): value is ThreadTool {
  return typeof handlerOf(value) === 'function'
}

function handlerOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? (value as { handler?: unknown }).handler : undefined
}

/** The whole path is nothing for callers. */
function baseName(url: string): string {
  return `'${decodeURIComponent(url.slice(url.lastIndexOf('/') + 1))}'`
}

function listed(names: readonly string[]): string {
  return names.map(name => `'${name}'`).join(', ') || 'none'
}
