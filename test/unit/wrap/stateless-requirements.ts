import { afterAll, expect, it } from 'vitest'

/**
 * What `wrap --http` is held to: the section of the specification of 2026-07-28 (or of 2025-11-25, where it says so) that asks for
 * it, and what that comes to here. A requirement without a test fails.
 */
interface Requirement {
  readonly section: string
  readonly says: string
}

export const HTTP = {
  /** In front of a server of 2026-07-28. */
  stateless: {
    discover: {
      section: 'Discovery: server/discover; Streamable HTTP: Stateless',
      says: 'discovers the server, lists its tools and ours, and calls them, without a session',
    },
    'own-answers': {
      section: 'Streamable HTTP: Sending Messages; Progress',
      says: 'shares the server with others: equal ids and progress tokens reach whom they belong to',
    },
    leaving: {
      section: 'Streamable HTTP: Cancellation by closing the response',
      says: 'cancels by leaving: the work of its call ends, and that of no other',
    },
    strangers: {
      section: 'Security: isolation of callers (decided here)',
      says: 'is a stranger to others: no run and no result is shared, and whoever holds a reference may follow it',
    },
    digits: {
      section: 'JSON-RPC ids and numbers (decided here)',
      says: 'passes every digit of numbers and ids',
    },
    'task-subscription': {
      section: 'Subscriptions: subscriptionId; Tasks: Task Status Notifications',
      says: 'follows a task of the extension, and hears of it by its own subscription',
    },
    refused: {
      section: 'Streamable HTTP: Standard Headers (SEP-2243); Versioning',
      says: 'is refused what the revision refuses, before the server hears of it',
    },
    'parameter-headers': {
      section: 'Streamable HTTP: Custom Headers from Tool Parameters',
      says: 'says in headers what a tool wants to see there, or its call is refused',
    },
    'no-server': {
      section: 'Error Handling (decided here)',
      says: 'is told when the server cannot be started, and served when it can be',
    },
  },
  /** In front of a server of 2025-11-25. */
  'stateless-2025': {
    discover: {
      section: 'Discovery; Results: resultType; Caching: ttlMs, cacheScope',
      says: 'discovers what the server said in its handshake, and gets answers as its revision has them',
    },
    removed: {
      section: 'Streamable HTTP: 404 for methods that the revision removed',
      says: 'has no method that its revision lost, although the server has it',
    },
    asked: {
      section: 'Multi Round-Trip Requests: InputRequiredResult',
      says: 'is asked by the answer to its call, and the server runs it once',
    },
    answers: {
      section: 'Multi Round-Trip Requests: requestState, validation of inputResponses',
      says: 'may answer a question once, and only with what is an answer',
    },
    undeclared: {
      section: 'Multi Round-Trip Requests: Capabilities',
      says: 'is not asked what it did not declare: the server hears that at once',
    },
    'own-questions': {
      section: 'Security: isolation of callers (decided here)',
      says: 'is never asked what a stranger’s call asks',
    },
    'task-input': {
      section: 'Tasks: Task Update Requests',
      says: 'that follows tasks is asked by its call while it waits, and by its task after that',
    },
    progress: {
      section: 'Progress: token of the request',
      says: 'hears progress, also of the call that it goes on with',
    },
    leaving: { section: 'Streamable HTTP: Cancellation by closing the response', says: 'cancels by leaving' },
    'tasks-alone': {
      section: 'Tasks of 2025-11-25: tool-level negotiation',
      says: 'calls a tool that its server runs as a task alone',
    },
    'task-status': {
      section: 'Tasks of 2025-11-25: statusMessage, notifications/tasks/status',
      says: 'hears as progress how the task of its call stands',
    },
    'task-failure': {
      section: 'Tasks of 2025-11-25: statusMessage of a failed task',
      says: 'hears why the task of its call failed, where there is no other result',
    },
    changes: {
      section: 'Subscriptions: honored subset, subscriptionId',
      says: 'hears of changes that it listens to, and of no others',
    },
    errors: { section: 'Resources: Error Handling (SEP-2164)', says: 'gets the errors of its revision' },
  },
  /** With tokens. */
  'stateless-subjects': {
    challenge: {
      section: 'Authorization: Token Usage, WWW-Authenticate',
      says: 'nobody is admitted without one that is known, and each is told how to get in',
    },
    'own-results': {
      section: 'Security: isolation of callers (decided here)',
      says: 'subjects share a server of 2026-07-28, and no result',
    },
    'own-server': {
      section: 'Security: isolation of callers (decided here)',
      says: 'each subject has a server of 2025-11-25 of its own',
    },
    'own-sessions': {
      section: 'Security Best Practices: Session Hijacking',
      says: 'a session belongs to the subject that began it: to another one it is no session',
    },
    'one-subject': {
      section: 'Security: isolation of callers (decided here)',
      says: 'a result of a session can be followed by its subject without one',
    },
    'quota-sessions': {
      section: 'Quotas (decided here)',
      says: 'a subject has no more sessions than its quota, and takes none from others',
    },
    'quota-calls': {
      section: 'Quotas (decided here)',
      says: 'a subject has no more calls under way than its quota',
    },
    'quota-bytes': {
      section: 'Quotas (decided here)',
      says: 'a subject keeps no more bytes than its quota, and can read what it has',
    },
  },
} as const satisfies Record<string, Record<string, Requirement>>

/** The tests of one group. Each names the requirement that it holds. */
export function requirementsOf<Group extends keyof typeof HTTP>(group: Group) {
  const rows: Record<string, Requirement> = HTTP[group]
  const untested = new Set(Object.keys(rows))
  afterAll(() => expect([...untested]).toEqual([]))
  return (name: keyof (typeof HTTP)[Group] & string, test: () => Promise<void>) => {
    untested.delete(name)
    const { section, says } = rows[name] as Requirement
    it(`${says} (${section})`, test)
  }
}
