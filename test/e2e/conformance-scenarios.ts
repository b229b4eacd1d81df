/** Which scenarios of the official conformance suite the example server is held to, and which not, and why. */

export type Revision = '2025-11-25' | '2026-07-28'

const BOTH = ['2025-11-25', '2026-07-28'] as const
const STATELESS = ['2026-07-28'] as const
const HANDSHAKE = ['2025-11-25'] as const

/** Not one check of these may fail or warn, and at least one must have succeeded. */
export const HELD: Readonly<Record<string, readonly Revision[]>> = {
  'tasks-lifecycle': STATELESS,
  'tasks-capability-negotiation': STATELESS,
  'tasks-wire-fields': STATELESS,
  'tasks-request-state-removal': STATELESS,
  'tasks-mrtr-input': STATELESS,
  'tasks-request-headers': STATELESS,
  'tasks-dispatch-and-envelope': STATELESS,
  'tasks-required-task-error': STATELESS,
  'tasks-mrtr-composition': STATELESS,

  'server-initialize': HANDSHAKE,
  ping: HANDSHAKE,
  'server-stateless': STATELESS,
  'tools-list': BOTH,
  'tools-call-simple-text': BOTH,
  'tools-call-image': BOTH,
  'tools-call-audio': BOTH,
  'tools-call-embedded-resource': BOTH,
  'tools-call-mixed-content': BOTH,
  'tools-call-error': BOTH,
  'tools-call-with-progress': BOTH,
  'json-schema-2020-12': BOTH,
  'server-sse-multiple-streams': STATELESS,
  'dns-rebinding-protection': BOTH,
  'http-header-validation': STATELESS,
  'http-custom-header-server-validation': STATELESS,

  'input-required-result-basic-elicitation': STATELESS,
  'input-required-result-basic-sampling': STATELESS,
  'input-required-result-basic-list-roots': STATELESS,
  'input-required-result-request-state': STATELESS,
  'input-required-result-multiple-input-requests': STATELESS,
  'input-required-result-multi-round': STATELESS,
  'input-required-result-missing-input-response': STATELESS,
  'input-required-result-non-tool-request': STATELESS,
  'input-required-result-result-type': STATELESS,
  'input-required-result-unsupported-methods': STATELESS,
  'input-required-result-tampered-state': STATELESS,
  'input-required-result-capability-check': STATELESS,
  'input-required-result-ignore-extra-params': STATELESS,
  'input-required-result-validate-input': STATELESS,
}

const SESSIONS =
  'needs sessions of 2025-11-25, and the SDK’s handler serves that revision without; tasks-2025.test.ts has a server with sessions'
const RESOURCES = 'about resources: this package serves tools, the SDK serves the rest'
const PROMPTS = 'about prompts: this package serves tools, the SDK serves the rest'
const SKILLS = 'an extension that this package has no part in'

export const NOT_HELD: Readonly<Record<string, string>> = {
  'tasks-status-notifications':
    'an empty scenario: it was never rewritten for subscriptions/listen; tasks-notifications.ts has the requirements from the specification’s text',
  'server-session-lifecycle': SESSIONS,
  'tools-call-sampling': SESSIONS,
  'tools-call-elicitation': SESSIONS,
  'elicitation-sep1034-defaults': SESSIONS,
  'elicitation-sep1330-enums': SESSIONS,
  'server-sse-polling': SESSIONS,
  'logging-set-level': 'about logging, which is deprecated, and which this package does not do',
  'tools-call-with-logging': 'about logging, which is deprecated, and which this package does not do',
  'completion-complete': 'about completions: this package serves tools, the SDK serves the rest',
  caching: RESOURCES,
  'resources-list': RESOURCES,
  'resources-read-text': RESOURCES,
  'resources-read-binary': RESOURCES,
  'resources-templates-read': RESOURCES,
  'resources-subscribe': RESOURCES,
  'resources-unsubscribe': RESOURCES,
  'sep-2164-resource-not-found': RESOURCES,
  'prompts-list': PROMPTS,
  'prompts-get-simple': PROMPTS,
  'prompts-get-with-args': PROMPTS,
  'prompts-get-embedded-resource': PROMPTS,
  'prompts-get-with-image': PROMPTS,
  'sep-2640-skills-directory': SKILLS,
  'sep-2640-skills-enumeration': SKILLS,
  'sep-2640-skills-manifest': SKILLS,
}

/** What `wrap` in front of a server changes, by scenario (and revision), and why. */
export const CHANGED_BY_WRAPPING: Readonly<Record<string, string>> = {
  'tasks-required-task-error':
    'a tool that its server runs as a task alone can be called by every client: the wrapper follows the task',
  'tools-call-with-progress (2025-11-25)':
    'the wrapper calls the tool as a task, and the stateless leg of the SDK has no stream on which a task’s progress could come',
}
