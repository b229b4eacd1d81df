import type { ServerTarget } from '../target.ts'
import type { Channel } from './channel.ts'
import { ChildChannel } from './child-channel.ts'
import { type ServerProcess, startServer } from './child-process.ts'

/** A connection to a server that is not started yet. @param started its process, where it was started already */
export async function openChannel(target: ServerTarget, started?: ServerProcess): Promise<Channel> {
  if ('command' in target) return new ChildChannel(started ?? startServer(target.command))
  const [{ HttpChannel }, { MirroringChannel }] = await Promise.all([
    import('./http-channel.ts'),
    import('./mirroring-channel.ts'),
  ])
  return new MirroringChannel(new HttpChannel(target.endpoint))
}
