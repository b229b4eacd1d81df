/**
 * What the specifications say of notifications of tasks. The official conformance suite has no check for them, so these are
 * taken from the text: `tasks` is the page of the extension io.modelcontextprotocol/tasks (2026-07-28), `subscriptions` the
 * core protocol's page on subscriptions/listen (2026-07-28), `core` the page on tasks of 2025-11-25.
 */
interface Requirement {
  readonly from: 'tasks' | 'subscriptions' | 'core'
  readonly section: string
  readonly says: string
}

export const NOTIFICATIONS = {
  acknowledged: {
    from: 'tasks',
    section: 'Task Status Notifications',
    says: 'the acknowledgement, which comes first, has the list of the task IDs that the server has agreed to send notifications for',
  },
  undeclared: {
    from: 'tasks',
    section: 'Task Status Notifications; Protocol Errors',
    says: 'a client that asks for them without declaring the extension MUST be given −32021 with the missing capability',
  },
  'each-change': {
    from: 'tasks',
    section: 'Task Status Notifications',
    says: 'servers MAY push status updates by notifications/tasks in addition to servicing polls',
  },
  detailed: {
    from: 'tasks',
    section: 'Task Status Notifications',
    says: 'each carries a complete DetailedTask, identical to what tasks/get would have returned at that moment',
  },
  'input-required': {
    from: 'tasks',
    section: 'Task Update Requests; Task Status',
    says: 'one with status input_required has the outstanding inputRequests, which the client may answer without a poll',
  },
  failed: {
    from: 'tasks',
    section: 'Task Status; Task Execution Errors',
    says: 'one with status failed has the JSON-RPC error; a tool that failed is completed, with isError in the result',
  },
  cancelled: {
    from: 'tasks',
    section: 'Task Cancellation',
    says: 'a cancelled task is observed as cancelled by notifications as by polls',
  },
  'nothing-else': {
    from: 'tasks',
    section: 'Task Status Notifications',
    says: 'notifications/progress and notifications/message MUST NOT be sent on the stream for a task',
  },
  polling: {
    from: 'tasks',
    section: 'Task Status Notifications',
    says: 'clients MAY continue polling tasks/get in addition to subscribing',
  },
  authorized: {
    from: 'tasks',
    section: 'Security Considerations: Auth binding',
    says: 'on each task-related request servers MUST check that the client has permission to access the task',
  },
  stamped: {
    from: 'subscriptions',
    section: 'Notification Delivery',
    says: 'every notification on the stream has the subscription’s id in its _meta, so that clients can tell subscriptions apart',
  },
  others: {
    from: 'subscriptions',
    section: 'Subscription Filter',
    says: 'what else the filter asks for is delivered on the same stream, and nothing that it does not ask for',
  },
  ended: {
    from: 'subscriptions',
    section: 'Ending a Subscription',
    says: 'a server that ends a subscription answers its request; a client that ends one is sent nothing more',
  },
} as const satisfies Record<string, Requirement>

export type NotificationRequirement = keyof typeof NOTIFICATIONS
