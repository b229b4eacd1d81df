import { describe, expect, it } from 'vitest'
import { InputUnavailable } from '../../../src/core/errors.ts'
import { AskedByServer } from '../../../src/wrap/client/asked-by-server.ts'
import type { ClientMessages } from '../../../src/wrap/client/messages.ts'
import type { RpcId, RpcMessage, RpcRequest } from '../../../src/wrap/rpc.ts'
import type { UpstreamTasks } from '../../../src/wrap/upstream/tasks.ts'
import type { Upstream } from '../../../src/wrap/upstream/upstream.ts'

const question = (id: RpcId): RpcRequest => ({
  jsonrpc: '2.0',
  id,
  method: 'elicitation/create',
  params: { message: 'Which one?' },
})

const withdrawal = (requestId: RpcId) => ({
  jsonrpc: '2.0' as const,
  method: 'notifications/cancelled',
  params: { requestId },
})

/** A server that asks while it runs a call, whose task puts the question: `answer` and `refuse` are of the one that was put last. */
function scene() {
  const toServer: RpcMessage[] = []
  const toClient: RpcMessage[] = []
  let answer = (_: object) => {}
  let refuse = (_: Error) => {}
  const asker = {
    elicit: (_: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise((resolve, reject) => {
        answer = resolve
        refuse = reject
        signal.addEventListener('abort', () => reject(signal.reason))
      }),
  }
  const asked = new AskedByServer({
    client: { send: (message: RpcMessage) => void toClient.push(message) } as unknown as ClientMessages,
    upstream: {
      forward: async (message: RpcMessage, isWanted = () => true) => {
        // As where the server is being started again.
        await settled()
        if (isWanted()) toServer.push(message)
      },
    } as unknown as Upstream,
    tasks: { askingTask: () => asker, related: (message: RpcMessage) => message } as unknown as UpstreamTasks,
    onlyCalls: () => true,
  })
  const settled = () => new Promise(setImmediate)
  return {
    asked,
    toServer,
    toClient,
    settled,
    answer: (it: object) => answer(it),
    refuse: (it: Error) => refuse(it),
  }
}

describe('a question of a wrapped server', () => {
  it('is answered by whoever follows its task', async () => {
    const { asked, answer, toServer, settled } = scene()
    asked.asked(question(0))
    answer({ action: 'decline' })
    await settled()
    await settled()
    expect(toServer).toEqual([{ jsonrpc: '2.0', id: 0, result: { action: 'decline' } }])
  })

  it('goes to the client as a request where its task cannot ask', async () => {
    const { asked, refuse, toClient, settled } = scene()
    asked.asked(question(0))
    refuse(new InputUnavailable('Nobody can be asked.'))
    await settled()
    expect(toClient).toMatchObject([{ id: 0, method: 'elicitation/create' }])
  })

  it('has no answer once the server takes it back', async () => {
    const { asked, toServer, toClient, settled } = scene()
    asked.asked(question(0))
    expect(asked.withdraws(withdrawal(0))).toBe(true)
    await settled()
    await settled()
    expect([toServer, toClient]).toEqual([[], []])
  })

  it('of a server that is gone is not answered to the one that is started in its place', async () => {
    const { asked, answer, toServer, toClient, settled } = scene()
    asked.asked(question(0))
    asked.lost('It ended.')
    await settled()
    asked.asked(question(1))
    answer({ action: 'accept', content: {} })
    asked.lost('It ended again.')
    await settled()
    await settled()
    expect([toServer, toClient]).toEqual([[], []])
  })

  it('can be taken back although one of an earlier server had the same id', async () => {
    const { asked, toServer, settled } = scene()
    asked.asked(question(0))
    asked.lost('It ended.')
    asked.asked(question(0))
    await settled()
    expect(asked.withdraws(withdrawal(0))).toBe(true)
    await settled()
    expect(toServer).toEqual([])
  })
})
