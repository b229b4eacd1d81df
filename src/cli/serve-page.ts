import { PageListener } from '../ui/server/listener.ts'
import type { Sight } from '../ui/server/sight.ts'
import { CommandFailed, EXIT } from './exit.ts'
import { pageKey } from './page-key.ts'

/**
 * Serves the live page to whoever has the link.
 * @throws CommandFailed where the port is taken, or not for this user
 */
export async function servePage(
  port: number,
  option: string,
  sight: () => Sight,
  onLink: (url: string) => void,
): Promise<PageListener> {
  const page = new URL('../ui/page/', import.meta.url)
  const listener = new PageListener({ port, sight, page, key: pageKey(), onLink })
  try {
    await listener.start()
    return listener
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EACCES') {
      const advice = `Port ${port} is not for this user. Choose one from 1024 on with ${option}.`
      throw new CommandFailed(EXIT.failed, 'port_not_allowed', advice)
    }
    if (code !== 'EADDRINUSE') throw error
    throw new CommandFailed(
      EXIT.portInUse,
      'port_in_use',
      `Port ${port} is in use. End what listens there, or choose another one with ${option}.`,
    )
  }
}
