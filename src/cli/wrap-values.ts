import type { Invalidates } from '../wrap/settings.ts'
import { usage } from './exit.ts'

/** Words that are meant for a store of another kind would become files of that name. */
export function storeOf(where: string): string {
  if (/^memory$/i.test(where)) return 'memory'
  if (/^(?!file:)[a-z][a-z0-9+.-]+:\/\//i.test(where) || /^redis$/i.test(where)) {
    throw usage(
      '--store takes the path of a SQLite file, or memory. Redis is for the library (docs/redis.md).',
    )
  }
  if (/^(sqlite|-.*|)$/i.test(where)) {
    throw usage(
      '--store takes a path: leave it out for the default file, or write ./sqlite for a file of that name.',
    )
  }
  return where
}

export function urlOf(text: string): URL {
  if (!URL.canParse(text) || !/^https?:/i.test(text)) {
    throw usage('--url takes an http:// or https:// address.')
  }
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') {
    throw usage(
      'Keep credentials out of --url: give them in a --header, from an environment variable. See --help.',
    )
  }
  return url
}

export function memoized(pattern: string, before: string[] = []): string[] {
  if (!/^[^\s-]\S{0,255}$/.test(pattern)) {
    throw usage("--memoize takes a tool's name, or a pattern such as 'search_*'; it may be repeated.")
  }
  return [...before, pattern]
}

export function invalidates(text: string, before: Invalidates[] = []): Invalidates[] {
  const [, tool, outdated] = /^([^\s=]{1,200})=([^\s=]{1,200})$/.exec(text) ?? []
  if (tool === undefined || outdated === undefined) {
    throw usage(
      "--invalidate is written 'create_*=read_*': a call of the first makes results of the second outdated.",
    )
  }
  return [...before, { tool, outdated }]
}
