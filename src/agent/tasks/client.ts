import type { AnswerLimits } from '../../core/answer-limits.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { AskCapabilities } from '../../core/question.ts'
import { askableOf, type Capabilities, capabilitiesIn, declaresExtension } from './capabilities.ts'
import type { TaskCodec } from './codec.ts'
import { revision2025 } from './revision-2025.ts'
import { revision2026 } from './revision-2026.ts'

/** What a request tells of its client, as far as tasks go. */
export interface TaskClient {
  readonly codec: TaskCodec
  /** It may follow tasks. Clients of 2026-07-28 have to declare that with each request. */
  readonly followsTasks: boolean
  /** What it can pass on to its user or its model, if anything. */
  readonly canBeAsked: AskCapabilities | undefined
  /** What an answer to it may have. */
  readonly limits?: AnswerLimits | undefined
}

/** The client of a request of 2025-11-25, by what it declared when its connection began. */
export function clientOf2025(capabilities?: Capabilities): TaskClient {
  return { codec: revision2025, followsTasks: true, canBeAsked: askableOf(capabilities) }
}

/** The client of a request of 2026-07-28, by the metadata of that request. */
export function clientOf2026(meta: Readonly<Record<string, unknown>>): TaskClient {
  const capabilities = capabilitiesIn(meta)
  return {
    codec: revision2026,
    followsTasks: declaresExtension(capabilities),
    canBeAsked: askableOf(capabilities),
  }
}

/** What may become of a call: a task because the client asked for one, or because it follows tasks in general. */
export type Wish = 'task' | 'any' | 'answer'

export function wishOf({ codec, followsTasks }: TaskClient, params: JsonObject | undefined): Wish {
  if (codec.revision === '2025-11-25') return isJsonObject(params?.task) ? 'task' : 'answer'
  return followsTasks ? 'any' : 'answer'
}
