import { createHash } from 'node:crypto'
import { canonical } from '../core/key.ts'
import type { Command } from './channels/child-process.ts'
import type { Endpoint } from './channels/http-channel.ts'
import { type Target, targetOf } from './target.ts'

/**
 * Variables that differ from one start to the next and say nothing about who a server acts for. All others may be
 * credentials or settings: wrappers that differ in one of them share no results, although they share a file.
 */
const VOLATILE = new Set(
  `_ PWD OLDPWD SHLVL COLUMNS LINES TERM COLORTERM LS_COLORS WINDOWID SSH_CONNECTION SSH_CLIENT SSH_TTY SSH_AUTH_SOCK
  XDG_SESSION_ID XDG_RUNTIME_DIR INIT_CWD INVOCATION_ID JOURNAL_STREAM SYSTEMD_EXEC_PID GPG_AGENT_INFO TMUX STY
  FORCE_COLOR NO_COLOR ITERM_SESSION_ID DBUS_SESSION_BUS_ADDRESS DISPLAY WAYLAND_DISPLAY`.split(/\s+/),
)
const VOLATILE_PREFIXES = ['npm_', 'TERM_', 'VSCODE_', 'TMUX_', 'VITEST']

/** What the answers of a server, or of several, depend on, as a digest. */
export function scopeOfTarget(target: Target): string {
  if ('servers' in target) {
    const scopes = target.servers.configured.map(({ name, transport }) => {
      const one = targetOf(transport)
      return [name, 'problem' in one ? '' : scopeOfTarget(one)]
    })
    return digest(scopes)
  }
  if ('endpoint' in target) return scopeOfEndpoint(target.endpoint)
  const { command } = target
  return scopeOfCommand(command, command.cwd ?? process.cwd(), { ...process.env, ...command.env })
}

/** The same for a server that is started here. */
export function scopeOfCommand({ command, args }: Command, cwd: string, env: NodeJS.ProcessEnv): string {
  const relevant = Object.entries(env).filter(
    ([name]) => !VOLATILE.has(name) && !VOLATILE_PREFIXES.some(prefix => name.startsWith(prefix)),
  )
  return digest([command, [...args], cwd, Object.fromEntries(relevant) as Record<string, string>])
}

/** The same for a server that is reached over HTTP. */
export function scopeOfEndpoint({ url, headers }: Endpoint): string {
  return digest([url.href, { ...headers }])
}

function digest(parts: Parameters<typeof canonical>[0]): string {
  return createHash('sha256').update(canonical(parts)).digest('hex')
}

const LAUNCHERS = /^(npx|bunx|pnpx|uvx|pipx|node|nodejs|bun|deno|tsx|python[\d.]*|uv|npm|pnpm|yarn)$/
const LAUNCHER_WORDS = new Set(['run', 'exec', 'dlx', 'tool', 'x'])
/** Names of files and folders that every package has. */
const GENERIC = new Set([
  'index',
  'main',
  'server',
  'cli',
  'dist',
  'build',
  'src',
  'lib',
  'bin',
  'out',
  'app',
  '',
])

/** What references begin with, where nobody has said. */
export function nameOfTarget(target: Target): string {
  if ('servers' in target) return 'refcache'
  return 'command' in target ? nameOfCommand(target.command) : nameOfEndpoint(target.endpoint)
}

/** A short name for a server: `everything` for `npx -y @modelcontextprotocol/server-everything@latest stdio`. */
export function nameOfCommand({ command, args }: Command): string {
  const launched = LAUNCHERS.test(baseOf(command))
    ? args.find(arg => !arg.startsWith('-') && !LAUNCHER_WORDS.has(arg))
    : undefined
  const steps = (launched ?? command).split(/[\\/]/).map(step => step.replace(/(?<=.)@.*$/, ''))
  const name = steps.map(baseOf).findLast(step => !GENERIC.has(step))
  return cacheName(name ?? 'server')
}

export function nameOfEndpoint({ url }: Endpoint): string {
  return cacheName(url.hostname)
}

function baseOf(path: string): string {
  return (path.split(/[\\/]/).at(-1) ?? '').replace(/\.(?:exe|cmd|bat|[cm]?[jt]s|py|sh)$/i, '')
}

function cacheName(text: string): string {
  const plain = text.toLowerCase().replace(/^(?:mcp-)?server-(?=.)|-(?:mcp-server|mcp|server)$/g, '')
  const allowed = plain.replace(/[^a-z0-9._-]+/g, '-').slice(0, 40)
  return allowed.replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '') || 'server'
}
