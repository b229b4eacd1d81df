import { showsCards } from '../../agent/card.ts'
import { CLIENT_INFO_META, type ClientLimits } from '../../agent/limits.ts'
import { type Capabilities, capabilitiesIn } from '../../agent/tasks/capabilities.ts'
import type { AnswerLimits } from '../../core/answer-limits.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Log } from '../log.ts'
import { metaOf, protocolMeta, type RpcRequest } from '../rpc.ts'

/** Who reads the answers of a session: a client that says so in its handshake, or with each request. */
export class Reader {
  #clientInfo: unknown
  #capabilities: Capabilities | undefined
  #said: string | undefined

  constructor(
    private readonly clients: ClientLimits,
    private readonly log: Log,
  ) {}

  /** What an answer to the request may have. */
  limitsOf(request: RpcRequest): AnswerLimits {
    return this.clients.of(this.#clientOf(request))
  }

  /** Whether the client can be listed arguments that may be references. */
  listsReferences(request: RpcRequest): boolean {
    return this.clients.listsReferences(this.#clientOf(request))
  }

  /** Whether the client shows progress cards. */
  showsCards({ params }: RpcRequest): boolean {
    const meta = protocolMeta(params)
    return showsCards(meta ? capabilitiesIn(meta) : this.#capabilities)
  }

  #clientOf({ params }: RpcRequest): unknown {
    return protocolMeta(params) ? this.#saidIn(params) : this.#clientInfo
  }

  /** A client introduces itself. */
  introduced({ method, params }: RpcRequest): void {
    const info = method === 'initialize' ? params?.clientInfo : this.#saidIn(params)
    if (method === 'initialize') {
      this.#clientInfo = info
      this.#capabilities = params?.capabilities as Capabilities | undefined
    }
    const { name } = this.clients.profileOf(info)
    if (name === this.#said) return
    this.#said = name
    this.log.info(
      'profile',
      `Answers are made for the client profile '${name}' (--profile NAME for another one).`,
    )
  }

  #saidIn(params: JsonObject | undefined): unknown {
    return metaOf(params)[CLIENT_INFO_META]
  }
}
