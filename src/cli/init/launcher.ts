import { realpathSync } from 'node:fs'
import type { Location } from '../../clients/locations.ts'
import type { Launcher } from '../../clients/wrap-entry.ts'

/** By its published name: what stands in a project's file has to hold on every machine. */
const BY_NAME: Launcher = { command: 'npx', args: ['-y', 'mcp-refcache'] }

/**
 * What a client has to start for this program. Programs with windows often have no PATH of a shell: where this command is
 * installed, it is named by its files.
 *
 * @param main the file of this command that runs now
 */
export function launcherFor({ scope }: Location, main: string, platform: NodeJS.Platform): Launcher {
  const isPassing = /[\\/]_npx[\\/]|[\\/]dlx(?:-[^\\/]*)?[\\/]/.test(main)
  if (scope === 'user' && !isPassing) return { command: process.execPath, args: [realpathSync(main)] }
  // Windows starts no .cmd file without its shell.
  return platform === 'win32' ? { command: 'cmd', args: ['/c', BY_NAME.command, ...BY_NAME.args] } : BY_NAME
}
