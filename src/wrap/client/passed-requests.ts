import { Deferred } from '../../core/deferred.ts'
import { channels, isHeard } from '../../telemetry/channels.ts'
import type { CallOutcome } from '../call-outcome.ts'
import type { RpcRequest } from '../rpc.ts'
import type { ProxiedClient } from '../tools/calls.ts'
import { tracedAnswer, tracedRequest } from '../traced-requests.ts'

/** Requests that are only passed on, for whoever listens: those of a client, and ours of the server, in one. */
export class PassedRequests {
  readonly #open = new Map<RpcRequest, Deferred<CallOutcome>>()

  constructor(private readonly caller: () => ProxiedClient) {}

  /** Gives what is sent on: a listener may put it into a trace of its own. */
  begin(request: RpcRequest, revision: string | undefined): RpcRequest {
    const isHeardOf = isHeard(channels.serverRequest) || isHeard(channels.clientRequest)
    // A subscription is open for hours: nobody waits for its end.
    if (!isHeardOf || request.method === 'subscriptions/listen') return request
    const caller = this.caller()
    const answered = new Deferred<CallOutcome>()
    let sent = request
    void tracedAnswer(request, caller, revision, () =>
      tracedRequest(request, caller.upstream.isPipe, traced => {
        sent = traced
        return answered.promise
      }),
    )
    this.#open.set(request, answered)
    return sent
  }

  /** @param outcome nothing where the client does not wait any more */
  end(request: RpcRequest, outcome: CallOutcome = { result: {} }): void {
    this.#open.get(request)?.resolve(outcome)
    this.#open.delete(request)
  }

  close(): void {
    for (const request of this.#open.keys()) this.end(request)
  }
}
