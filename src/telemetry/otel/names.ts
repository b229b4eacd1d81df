/**
 * What spans, attributes and metrics are called: by the semantic conventions for MCP and for generative AI where they have a name,
 * which are still in development and may change; else under `mcp_refcache`. No other file holds a name.
 */

export const ATTRIBUTES = {
  method: 'mcp.method.name',
  session: 'mcp.session.id',
  revision: 'mcp.protocol.version',
  requestId: 'jsonrpc.request.id',
  statusCode: 'rpc.response.status_code',
  errorType: 'error.type',
  transport: 'network.transport',
  operation: 'gen_ai.operation.name',
  tool: 'gen_ai.tool.name',
  prompt: 'gen_ai.prompt.name',
  arguments: 'gen_ai.tool.call.arguments',
  result: 'gen_ai.tool.call.result',
  cache: 'mcp_refcache.cache.name',
  /** A digest of the reference: the same for the same reference, and no way to it. */
  reference: 'mcp_refcache.ref.digest',
  /** The reference itself, where that was asked for. */
  referenceId: 'mcp_refcache.ref.id',
  /** `won`, `joined` or `hit`. */
  outcome: 'mcp_refcache.call.outcome',
  /** How the answer stands: `complete`, `processing`, … */
  status: 'mcp_refcache.status',
  isComplete: 'mcp_refcache.is_complete',
  attempt: 'mcp_refcache.attempt',
  valueBytes: 'mcp_refcache.value.size',
  page: 'mcp_refcache.page',
  queryKind: 'mcp_refcache.query.kind',
  querySources: 'mcp_refcache.query.sources',
  storeOperation: 'mcp_refcache.store.operation',
  removal: 'mcp_refcache.removal.reason',
} as const

export const VALUES = {
  executeTool: 'execute_tool',
  toolError: 'tool_error',
  other: '_OTHER',
} as const

export const SPANS = {
  /** Of a request, as client and as server. */
  request: (method: string, target: string | undefined) =>
    target === undefined ? method : `${method} ${target}`,
  /** Of a call by a program, where no request stands around it. */
  call: (tool: string) => `execute_tool ${tool}`,
  attempt: (tool: string) => `mcp_refcache.attempt ${tool}`,
  render: 'mcp_refcache.render',
  query: (kind: string) => `mcp_refcache.query ${kind}`,
  store: (operation: string) => `mcp_refcache.store ${operation}`,
} as const

export const SPAN_EVENTS = {
  asked: 'mcp_refcache.question.asked',
  answered: 'mcp_refcache.question.ended',
} as const

export const METRICS = {
  serverDuration: 'mcp.server.operation.duration',
  clientDuration: 'mcp.client.operation.duration',
  calls: 'mcp_refcache.calls',
  liveTasks: 'mcp_refcache.tasks.live',
  settledTasks: 'mcp_refcache.tasks.settled',
  retries: 'mcp_refcache.tasks.retries',
  recovered: 'mcp_refcache.tasks.recovered',
  wait: 'mcp_refcache.task.wait',
  attemptDuration: 'mcp_refcache.attempt.duration',
  valueSize: 'mcp_refcache.value.size',
  renderDuration: 'mcp_refcache.render.duration',
  queryDuration: 'mcp_refcache.query.duration',
  questionDuration: 'mcp_refcache.question.duration',
  storeDuration: 'mcp_refcache.store.operation.duration',
  sweepDuration: 'mcp_refcache.sweep.duration',
  missedBeats: 'mcp_refcache.heartbeats.missed',
  removedEntries: 'mcp_refcache.entries.removed',
  keptOut: 'mcp_refcache.tokens.kept_out',
  pagedIn: 'mcp_refcache.tokens.paged_in',
  added: 'mcp_refcache.tokens.added',
} as const

/** In seconds, as the conventions want them for operations of MCP. */
export const DURATION_BUCKETS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300]
/** A store answers within a millisecond or is slow. */
export const STORE_BUCKETS = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5]
/** In bytes. */
export const SIZE_BUCKETS = [256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 16_777_216, 268_435_456]
