import { posix, win32 } from 'node:path'

/** The clients whose configurations `init` finds, by the name that it takes on the command line. */
export const CLIENTS = {
  'claude-desktop': 'Claude Desktop',
  'claude-code': 'Claude Code',
  cursor: 'Cursor',
  vscode: 'VS Code',
  codex: 'Codex',
  zed: 'Zed',
  windsurf: 'Windsurf',
} as const

export type ClientName = keyof typeof CLIENTS

export interface Location {
  readonly client: ClientName
  /** A project's file is shared with all who work on it. */
  readonly scope: 'user' | 'project'
  readonly path: string
}

export interface Machine {
  readonly platform: NodeJS.Platform
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  /** The project that is worked on. */
  readonly folder: string
}

/** Where clients keep their configurations on a machine, whether or not there is one. Pure. */
export function clientLocations(machine: Machine): Location[] {
  const { platform, env, home, folder } = machine
  const { join } = platform === 'win32' ? win32 : posix
  const apps = applicationData(machine)
  const config = env.XDG_CONFIG_HOME || join(home, '.config')
  const zed = platform === 'win32' ? join(apps, 'Zed') : join(config, 'zed')
  const claudeCode = env.CLAUDE_CONFIG_DIR || home
  const codex = env.CODEX_HOME || join(home, '.codex')
  const user = (client: ClientName, path: string): Location => ({ client, scope: 'user', path })
  const project = (client: ClientName, ...names: string[]): Location => ({
    client,
    scope: 'project',
    path: join(folder, ...names),
  })
  const all = [
    user('claude-desktop', join(apps, 'Claude', 'claude_desktop_config.json')),
    user('claude-code', join(claudeCode, '.claude.json')),
    project('claude-code', '.mcp.json'),
    user('cursor', join(home, '.cursor', 'mcp.json')),
    project('cursor', '.cursor', 'mcp.json'),
    user('vscode', join(apps, 'Code', 'User', 'mcp.json')),
    user('vscode', join(apps, 'Code - Insiders', 'User', 'mcp.json')),
    project('vscode', '.vscode', 'mcp.json'),
    user('codex', join(codex, 'config.toml')),
    project('codex', '.codex', 'config.toml'),
    user('zed', join(zed, 'settings.json')),
    project('zed', '.zed', 'settings.json'),
    user('windsurf', join(home, '.codeium', 'windsurf', 'mcp_config.json')),
  ]
  // In one's home folder, the files of the user and of the project can be the same one.
  return all.filter(({ path }, at) => all.findIndex(other => other.path === path) === at)
}

/** Where programs keep what is the user's: of this one, too. */
export function applicationData({ platform, env, home }: Machine): string {
  switch (platform) {
    case 'win32':
      return env.APPDATA || win32.join(home, 'AppData', 'Roaming')
    case 'darwin':
      return posix.join(home, 'Library', 'Application Support')
    default:
      return env.XDG_CONFIG_HOME || posix.join(home, '.config')
  }
}
