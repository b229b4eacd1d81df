import type {
  Detail,
  Done,
  EntryGraph,
  History,
  Overview,
  Problem,
  Question,
  Row,
  RowPage,
  Shown,
  Size,
} from '../api.ts'
import { parseExactly } from './exact.ts'

/** What the server refused, or that it is not there. */
export class ServerProblem extends Error {
  readonly code: string

  constructor({ code, message }: Problem) {
    super(message)
    this.code = code
  }
}

type Parameters = Record<string, string | number | readonly string[] | undefined>

/** The routes of the server, each a function. */
export const server = {
  overview: () => get<Overview>('overview'),
  tasks: async () => (await get<{ tasks: readonly Row[] }>('tasks')).tasks,
  entries: (parameters: Parameters) => get<RowPage>('entries', parameters),
  sizes: async (ref: readonly string[]) => (await get<{ sizes: readonly Size[] }>('sizes', { ref })).sizes,
  entry: (ref: string) => get<Detail>('entry', { ref }),
  graph: (ref: string) => get<EntryGraph>('graph', { ref }),
  value: (ref: string, page?: number) => get<Shown>('value', { ref, page }),
  history: (hours: number) => get<History>('history', { hours }),
  query: (question: Question) => post<Shown>('query', question),
  cancel: (ref: string) => post<Done>('cancel', { ref }),
  retry: (ref: string) => post<Done>('retry', { ref }),
  delete: (ref: string) => post<Done>('delete', { ref }),
  answer: (ref: string, answers: Readonly<Record<string, unknown>>) => post<Done>('answer', { ref, answers }),
  events: () => new EventSource('api/events'),
}

export type Server = typeof server

function get<T>(route: string, parameters: Parameters = {}): Promise<T> {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters))
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== undefined) search.append(name, String(one))
  const query = search.toString()
  return answerOf<T>(`api/${route}${query === '' ? '' : `?${query}`}`, { method: 'GET' })
}

function post<T>(route: string, body: object): Promise<T> {
  return answerOf<T>(`api/${route}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

async function answerOf<T>(path: string, init: RequestInit): Promise<T> {
  const [response, text] = await whole(path, init)
  const body = parsed(text)
  if (response.ok && body !== undefined) return body as T
  throw new ServerProblem(isProblem(body) ? body : { code: 'unknown', message: unclear(response.status) })
}

/** A server that ends in the middle of an answer is as far away as one that gives none. */
async function whole(path: string, init: RequestInit): Promise<[Response, string]> {
  try {
    const response = await fetch(path, { ...init, cache: 'no-store', credentials: 'same-origin' })
    return [response, await response.text()]
  } catch {
    throw new ServerProblem({ code: 'away', message: 'The server does not answer. Is it still running?' })
  }
}

function parsed(text: string): unknown {
  try {
    return parseExactly(text)
  } catch {
    return undefined
  }
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'code' in body && 'message' in body
}

function unclear(status: number): string {
  return `The server gave an answer that this page does not understand (HTTP ${status}). Load the page again.`
}

/** Whether the server, or the store behind it, is only not there for now. */
export function isAway(error: unknown): boolean {
  return error instanceof ServerProblem && (error.code === 'away' || error.code === 'store_unavailable')
}

/** Whatever was thrown, in words for a person. */
export function problemText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
