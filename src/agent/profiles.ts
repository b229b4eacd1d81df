import type { ReadFields, TextLimit } from '../core/answer-limits.ts'
import { InvalidArgument } from '../core/errors.ts'
import { hint } from '../core/suggest.ts'

/** What one kind of client can take. What is absent is the default, which every client can take. */
export interface Profile {
  readonly name: string
  /** What it calls itself in `clientInfo`. Absent: it is chosen by name alone. */
  readonly client?: RegExp
  /** What it passes to its model uncut and without a warning. */
  readonly inline?: TextLimit
  /** What it passes to its model at all. */
  readonly ceiling?: TextLimit
  readonly reads: ReadFields
  /** How long it waits for an answer, in seconds. No call or poll is held for more than three quarters of that. */
  readonly patience?: number
  /** It gives a tool the limit that the tool itself asks for: `_meta["anthropic/maxResultSizeChars"]`. */
  readonly honoursToolLimit?: true
  /** False: the schemas of arguments are listed as they are, without the references that may stand there. */
  readonly listsReferences?: false
  /** It gives its model what a `resource_link` in a result points to, when the model wants that. */
  readonly followsLinks?: true
  readonly source: string
  /** Of the source. */
  readonly date: string
}

/** A client of which nothing is known. */
export const UNKNOWN_CLIENT: Profile = {
  name: 'default',
  reads: 'unknown',
  source: 'what every client below can take, but for the tightest limits',
  date: '2026-11',
}

/** What public material says of clients. A limit in bytes stands as one in characters. */
export const PROFILES: readonly Profile[] = [
  {
    name: 'claude-code',
    client: /^claude-code\b/i,
    inline: { tokens: 10_000, characters: 50_000 },
    ceiling: { tokens: 25_000, characters: 50_000 },
    reads: 'structured',
    patience: 300,
    honoursToolLimit: true,
    source: 'claude-code changelog; anthropics/claude-code#75267, #86464, #45766',
    date: '2026-11',
  },
  {
    name: 'claude',
    client: /^claude-(ai|desktop)\b/i,
    reads: 'unknown',
    patience: 60,
    source: 'anthropics/claude-code#64614, #65643, #73955',
    date: '2026-11',
  },
  {
    name: 'codex',
    client: /^codex\b/i,
    inline: { tokens: 10_000 },
    ceiling: { tokens: 10_000 },
    reads: 'structured',
    patience: 300,
    source: 'openai/codex rmcp_client.rs, #38287',
    date: '2026-11',
  },
  {
    name: 'vscode',
    client: /^visual studio code\b/i,
    reads: 'unknown',
    followsLinks: true,
    source: 'microsoft/vscode#277888, #308961; of links #256487',
    date: '2026-11',
  },
  {
    name: 'copilot-cli',
    client: /^(github-)?copilot(-cli)?\b/i,
    inline: { characters: 10_000 },
    ceiling: { characters: 10_000 },
    reads: 'structured',
    source: 'github/copilot-cli#2538, #1732, #3258',
    date: '2026-11',
  },
  {
    name: 'cursor',
    client: /^cursor\b/i,
    reads: 'unknown',
    patience: 300,
    source: 'cursor blog; cursor/cursor#3510',
    date: '2026-11',
  },
  {
    name: 'gemini-cli',
    client: /^gemini-cli\b/i,
    inline: { characters: 40_000 },
    ceiling: { characters: 40_000 },
    reads: 'unknown',
    patience: 600,
    listsReferences: false,
    source: 'google-gemini/gemini-cli tool-executor.ts; a Schema of the Gemini API has one type',
    date: '2026-11',
  },
  {
    name: 'goose',
    client: /^goose\b/i,
    inline: { characters: 200_000 },
    ceiling: { characters: 200_000 },
    reads: 'unknown',
    source: 'block/goose#6939, #11208',
    date: '2026-11',
  },
  {
    name: 'cline',
    client: /^cline\b/i,
    inline: { characters: 8_000 },
    ceiling: { characters: 8_000 },
    reads: 'unknown',
    patience: 60,
    source: 'cline/cline message-builder.ts',
    date: '2026-11',
  },
  {
    name: 'opencode',
    client: /^opencode\b/i,
    inline: { characters: 50_000, lines: 2_000 },
    ceiling: { characters: 50_000, lines: 2_000 },
    reads: 'unknown',
    patience: 60,
    source: 'opencode#24964, #22565',
    date: '2026-11',
  },
  {
    name: 'librechat',
    client: /librechat/i,
    reads: 'unknown',
    source: 'danny-avila/LibreChat#10855',
    date: '2026-11',
  },
  {
    name: 'zed',
    client: /^zed\b/i,
    reads: 'unknown',
    patience: 60,
    source: 'zed-industries/zed#45378',
    date: '2026-11',
  },
  {
    name: 'lobehub',
    client: /^lobe(hub|chat)/i,
    inline: { characters: 6_000 },
    ceiling: { characters: 6_000 },
    reads: 'unknown',
    source: 'lobehub#11946',
    date: '2026-11',
  },
  {
    name: 'qwen-code',
    client: /^qwen\b/i,
    inline: { characters: 25_000 },
    ceiling: { characters: 25_000 },
    reads: 'unknown',
    source: 'lobehub#11946; qwen-code',
    date: '2026-11',
  },
]

/** The profile of a client, by what it calls itself. */
export function profileOf(clientName: unknown): Profile {
  if (typeof clientName !== 'string') return UNKNOWN_CLIENT
  return PROFILES.find(({ client }) => client?.test(clientName)) ?? UNKNOWN_CLIENT
}

/** @throws InvalidArgument for a name that no profile has */
export function profileNamed(name: string): Profile {
  const all = [UNKNOWN_CLIENT, ...PROFILES]
  const found = all.find(profile => profile.name === name)
  if (found) return found
  const names = all.map(profile => profile.name)
  throw new InvalidArgument(`There is no profile '${name.slice(0, 50)}'. ${hint(name.slice(0, 50), names)}`)
}
