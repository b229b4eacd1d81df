/**
 * What the specifications say of tasks, as far as the official conformance suite does not hold servers to it: `core` is the page on
 * tasks of 2025-11-25, `tasks` the page of the extension io.modelcontextprotocol/tasks (2026-07-28), `mrtr` the core protocol's page on
 * multi round-trip requests (2026-07-28). Each is held by `attachRefCache` and by `wrap`.
 */
interface Requirement {
  readonly from: 'core' | 'tasks' | 'mrtr'
  readonly section: string
  readonly says: string
}

export const TASKS = {
  'unique-ids': {
    from: 'core',
    section: 'Task ID Requirements 3',
    says: 'task IDs MUST be unique among all tasks: two calls that share one run have two',
  },
  'own-cancel': {
    from: 'core',
    section: 'Task Cancellation 2',
    says: 'a cancelled task is cancelled before the response; a task that shares its run goes on',
  },
  terminal: {
    from: 'core',
    section: 'Task Status Lifecycle 2.3',
    says: 'a task in a terminal status MUST NOT transition to any other status: a retry is another task',
  },
  'cancel-terminal': {
    from: 'core',
    section: 'Task Cancellation 1',
    says: 'cancelling a task in a terminal status MUST be rejected with −32602',
  },
  'input-required': {
    from: 'core',
    section: 'Input Required Status 1, 2, 4',
    says: 'a task that asks is input_required, its question has related-task, and with the answer it works on',
  },
  'asked-unasked': {
    from: 'core',
    section: 'Input Required Status (note on streams)',
    says: 'clients are asked on any stream: one that only polls is asked by the connection',
  },
  related: {
    from: 'core',
    section: 'Related Task Metadata',
    says: 'the response to tasks/result MUST include related-task; tasks/get SHOULD NOT',
  },
  'immediate-response': {
    from: 'core',
    section: 'Creating Tasks (note)',
    says: 'the answer to the call has what to tell the model at once: the reference and the next step',
  },
  cursor: {
    from: 'core',
    section: 'Protocol Errors',
    says: 'an invalid or nonexistent cursor in tasks/list is −32602',
  },
  listed: {
    from: 'core',
    section: 'Task Listing 4',
    says: 'what is retrievable by tasks/get is retrievable by tasks/list',
  },
  'quick-question': {
    from: 'tasks',
    section: 'Task Creation',
    says: 'multi round-trip exchanges are resolved synchronously before there is a task',
  },
  'goes-on': {
    from: 'mrtr',
    section: 'Server Requirements',
    says: 'the call that is made again with the answers goes on with the work that asked',
  },
  'update-answers': {
    from: 'tasks',
    section: 'Task Update Requests',
    says: 'tasks/update has an object of answers, each as its question wants it; anything else is −32602',
  },
  'final-2026': {
    from: 'tasks',
    section: 'Task Status (diagram)',
    says: 'a terminal status is the last one: a retry is another task',
  },
} as const satisfies Record<string, Requirement>

export type TaskRequirement = keyof typeof TASKS
