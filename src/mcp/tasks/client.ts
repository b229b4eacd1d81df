import type { Server, ServerContext } from '@modelcontextprotocol/server'
import { capabilitiesIn, declaresExtension, questionsFor } from '../../agent/tasks/capabilities.ts'
import type { QuestionMethod } from '../../core/question.ts'

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
  const capabilities = capabilitiesIn(envelope)
  return {
    revision: '2026-07-28',
    declaresTasks: declaresExtension(capabilities),
    canBeAsked: questionsFor(capabilities),
  }
}
