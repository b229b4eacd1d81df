import { once } from 'node:events'
import { expect, it } from 'vitest'
import { ChildChannel } from '../../src/wrap/channels/child-channel.ts'
import { startServer } from '../../src/wrap/channels/child-process.ts'

it('says how a server ended to whoever writes to it before its end is told', async () => {
  const server = startServer({ command: process.execPath, args: ['-e', 'process.exit(9)'] })
  const channel = new ChildChannel(server)
  await channel.start()
  if (server.child.exitCode === null) await once(server.child, 'exit')
  const ping = { jsonrpc: '2.0' as const, id: 1, method: 'ping' }
  await expect(channel.send(ping)).rejects.toThrow('exit code 9')
  await channel.close()
})
