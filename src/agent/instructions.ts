import type { RefId } from '../core/ref.ts'

/** What an agent is told. The first 500 characters must be enough to work with; nothing is longer than 1,900. */

export const SERVER_INSTRUCTIONS = `Tool answers may be references. status "complete" with is_complete true: the value is all there. is_complete false with "preview": only a part; call get_cached_result with the ref_id and page 1, 2, …, or full: true for the whole value. status "pending" or "processing": the work goes on; call get_cached_result with the ref_id, it waits for the result. Never call a slow tool again to get its result. "failed" and "cancelled" say what happened. cancel_task stops work that is no longer wanted.

Give a ref_id in the place of a tool's argument, or of any part of it, to have the tool work with that value: no need to read it first, and it works with values that you may not see.

A ref_id stays valid until it expires; then get_cached_result answers not_found and the tool has to be called again. progress and eta_seconds tell how far a task is; poll_after_seconds, when to ask again. retry_task starts a failed task again where can_retry is true. cached_at: the answer of an earlier call; the tool's argument _fresh: true runs it anew. Pages joined in order are the whole value: lists concatenate, objects merge, texts join.`

export const GET_CACHED_RESULT_DESCRIPTION =
  'Follow a ref_id. For a running task: waits (wait_seconds) and answers with its progress or its result. For a finished one: the whole value if it fits, else a preview; get more with page (1, 2, …), page_size, a larger max_size, or full: true. Asking again never starts the work again.'

export const CANCEL_TASK_DESCRIPTION =
  'Cancel the running task behind a ref_id when its result is no longer wanted. Answers with the status after that; a finished task stays as it is.'

export const RETRY_TASK_DESCRIPTION =
  'Start the failed or cancelled task behind a ref_id again, where can_retry is true. Follow the ref_id of the answer with get_cached_result.'

/** What a model is told of a call that became a task, while that runs. */
export function startedAsTask(refId: RefId): string {
  return `Started as a task; ref_id: ${refId}. It runs in the background. Call get_cached_result with this ref_id for its result: it waits for it. Do not start the work again.`
}

/** Added to the description of each tool that goes through the cache. */
export const TOOL_NOTE =
  'A large result comes back as a preview and a slow one as a ref_id: follow it with get_cached_result. An argument may be the ref_id of an earlier result.'

/** For a tool whose description has no room for more. */
export const SHORT_NOTE = 'May give a ref_id.'

/** Clients cut or refuse a description that is longer. */
const MAX_DESCRIPTION = 1024

/** @param notes what is said of references, the longest first: the first that fits is added */
export function withNote(
  description: string | undefined,
  notes: readonly string[] = [TOOL_NOTE, SHORT_NOTE],
): string {
  if (!description) return notes[0] ?? ''
  const noted = notes.map(note => `${description}\n\n${note}`).find(text => text.length <= MAX_DESCRIPTION)
  return noted ?? description
}
