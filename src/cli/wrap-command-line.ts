import { parseOptions } from './parse-options.ts'

const OPTIONS = {
  'async-timeout': { type: 'string' },
  inline: { type: 'string' },
  'list-reserved': { type: 'boolean' },
  'no-instructions': { type: 'boolean' },
  'max-ttl': { type: 'string' },
  'max-size': { type: 'string' },
  'max-answer': { type: 'string' },
  profile: { type: 'string' },
  store: { type: 'string' },
  'max-store': { type: 'string' },
  encrypt: { type: 'boolean' },
  'encrypt-key-file': { type: 'string' },
  ttl: { type: 'string' },
  lease: { type: 'string' },
  name: { type: 'string' },
  config: { type: 'string' },
  memoize: { type: 'string', multiple: true },
  invalidate: { type: 'string', multiple: true },
  url: { type: 'string' },
  header: { type: 'string', multiple: true },
  http: { type: 'string' },
  host: { type: 'string' },
  'allow-origin': { type: 'string', multiple: true },
  tokens: { type: 'string' },
  'quota-sessions': { type: 'string' },
  'quota-calls': { type: 'string' },
  'quota-bytes': { type: 'string' },
  'export-dir': { type: 'string' },
  admin: { type: 'boolean' },
  'log-level': { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/**
 * The options end at `--`, or at the first word that is none: launchers that start this command take a `--` for their own. What
 * comes after is the server's, whatever it looks like.
 */
export function splitCommand(argv: readonly string[]): {
  own: readonly string[]
  command: readonly string[]
} {
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] as string
    if (word === '--') return { own: argv.slice(0, at), command: argv.slice(at + 1) }
    if (!word.startsWith('-')) return { own: argv.slice(0, at), command: argv.slice(at) }
    if (takesValue(word) && argv[at + 1] !== '--') at++
  }
  return { own: argv, command: [] }
}

function takesValue(word: string): boolean {
  const option = Object.entries(OPTIONS).find(([name]) => word === `--${name}`)?.[1]
  return option?.type === 'string'
}

/** @throws CommandFailed for an option that there is not, or that is not written so */
export function parseWrapOptions(argv: readonly string[]) {
  return parseOptions(argv, OPTIONS)
}

/** What the options say, as text. */
export type Values = ReturnType<typeof parseWrapOptions>
