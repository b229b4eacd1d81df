import type { ClientName, Location } from '../../clients/locations.ts'
import type { Launcher } from '../../clients/wrap-entry.ts'
import { printable } from '../../core/printable.ts'

/** Where a client has its servers, where that is not `mcpServers`. */
const TABLES: Partial<Record<ClientName, string>> = { vscode: 'servers', zed: 'context_servers' }

/** What to write by hand for a client that has no configuration yet. */
export function exampleFor({ client, path }: Location, { command, args }: Launcher): string {
  const entry = { command, args: [...args, 'wrap', '--', 'COMMAND-OF-THE-SERVER', 'ARGUMENTS'] }
  const text =
    client === 'codex'
      ? `[mcp_servers.NAME]\ncommand = ${JSON.stringify(command)}\nargs = ${JSON.stringify(entry.args)}`
      : JSON.stringify({ [TABLES[client] ?? 'mcpServers']: { NAME: entry } }, undefined, 2)
  return `There are no servers in ${printable(path)} yet. One would be written so:\n\n${text}\n`
}
