import { CLIENT_CAPABILITIES_META_KEY, type Server, type ServerContext } from '@modelcontextprotocol/server'
import type { QuestionMethod } from '../../core/question.ts'
import { type Capabilities, declaresExtension, questionsFor } from './capabilities.ts'

/** What a request tells of its client, as far as tasks go. */
export interface TaskClient {
  readonly revision: '2025-11-25' | '2026-07-28'
  /** It declared the extension with this request. Clients of 2025-11-25 ask for a task call by call instead. */
  readonly declaresTasks: boolean
  /** What it can pass on to its user or its model. */
  readonly canBeAsked: readonly QuestionMethod[]
}

export function clientOf(server: Server, { mcpReq: { envelope } }: ServerContext): TaskClient {
  if (envelope === undefined) {
    const capabilities = server.getClientCapabilities()
    return { revision: '2025-11-25', declaresTasks: false, canBeAsked: questionsFor(capabilities) }
  }
  return {
    revision: '2026-07-28',
    declaresTasks: declaresTasks(envelope),
    canBeAsked: questionsFor(capabilitiesIn(envelope)),
  }
}

/** Whether the metadata of a request of 2026-07-28 declares the extension. */
export function declaresTasks(meta: Readonly<Record<string, unknown>> | undefined): boolean {
  return declaresExtension(capabilitiesIn(meta))
}

function capabilitiesIn(meta: Readonly<Record<string, unknown>> | undefined): Capabilities | undefined {
  return meta?.[CLIENT_CAPABILITIES_META_KEY] as Capabilities | undefined
}
