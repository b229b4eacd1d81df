import { toNumber } from '../../core/exact-number.ts'
import type { ProgressReport } from '../../core/handler.ts'
import type { JsonObject } from '../../core/json.ts'
import { isNotification, type RpcMessage } from '../rpc.ts'

export type OnProgress = (report: ProgressReport) => void

/** Who hears of the progress that a server reports under a token. */
export class ProgressTokens {
  readonly #hearers = new Map<string, OnProgress>()

  /** @param ofRequest who hears of the progress of a request whose id is its token */
  constructor(private readonly ofRequest: (id: string) => OnProgress | undefined) {}

  hear(token: string, onProgress: OnProgress): { token: string; end(): void } {
    this.#hearers.set(token, onProgress)
    return { token, end: () => this.#hearers.delete(token) }
  }

  /** Tells whoever hears of it. False where the message is no progress, or nobody's here. */
  take(message: RpcMessage): boolean {
    if (!isNotification(message) || message.method !== 'notifications/progress') return false
    const { progressToken: token } = message.params ?? {}
    const hearer = typeof token === 'string' ? (this.#hearers.get(token) ?? this.ofRequest(token)) : undefined
    hearer?.(toReport(message.params ?? {}))
    return hearer !== undefined
  }
}

function toReport({ progress, total, message }: JsonObject): ProgressReport {
  return {
    current: toNumber(progress),
    total: toNumber(total),
    ...(typeof message === 'string' ? { message } : {}),
  }
}
