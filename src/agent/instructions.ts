import type { RefId } from '../core/ref.ts'

/** What an agent is told, once. The first 500 characters must be enough to work with; clients cut at 2,048. */

export const SERVER_INSTRUCTIONS = `Tool answers may be references. is_complete false: only a part, as "preview", or "columns" and "rows"; call get_cached_result with the ref_id and page 1, 2, …, or full: true for all of it. status "pending" or "processing": the work goes on; call get_cached_result with the ref_id, it waits for the result. Never call a slow tool again to get its result. "failed" and "cancelled" say what happened. cancel_task stops work that is no longer wanted.

Give a ref_id in the place of a tool's argument, or of any part of it, to have the tool work with that value: no need to read it first, and it works with values that you may not see. A fragment names a part: ref_id#/items/3/body (JSON Pointer) or ref_id#L120-L180 (lines). To count, filter, sum or join, ask query_cached_result instead of reading pages: select level, count(*) n from items group by 1; nested fields are col->>'key'. To change a large document, edit_cached_result a copy and give its ref_id to the tool that writes: never write it out.

Every tool also takes _as_ref: true (a ref_id for a result of any size, to pass it on) and _fresh: true (run anew; cached_at marks the answer of an earlier call). Pages joined in order are the whole value. In rows "…(absent)" means no such field. A ref_id is valid until expires_at; keep_seconds keeps it longer. Then get_cached_result answers not_found, and the tool has to be called again. retry_task starts a failed task again where can_retry is true. progress and eta_seconds tell how far a task is; poll_after_seconds, when to ask again.`

export const GET_CACHED_RESULT_DESCRIPTION =
  'Wait for the task of a ref_id; get its value, a preview or a page.'

export const CANCEL_TASK_DESCRIPTION = 'Cancel a running task.'

export const RETRY_TASK_DESCRIPTION = 'Run a failed task again.'

export const SEARCH_CACHED_RESULT_DESCRIPTION = 'Search a value: lines of a text, items of lists.'

export const QUERY_CACHED_RESULT_DESCRIPTION =
  "Search, or ask in SQLite SQL: tables items, lists by key, root, lines; columns lists them. Also number('$1,299'), split(text, sep), REGEXP."

export const EXPORT_CACHED_RESULT_DESCRIPTION = 'Write a value to a new file.'

export const EDIT_CACHED_RESULT_DESCRIPTION = 'Edit a copy of a value.'

/** What a model is told of a call that became a task, while that runs. */
export function startedAsTask(refId: RefId): string {
  return `Started as a task; ref_id: ${refId}. It runs in the background. Call get_cached_result with this ref_id for its result: it waits for it. Do not start the work again.`
}

/** Added to the description of each tool for clients that ignore instructions. */
export const TOOL_NOTE = 'A large or slow result is a ref_id for get_cached_result; arguments may be ref_ids.'

/** Clients cut or refuse a description that is longer. */
const MAX_DESCRIPTION = 1024

/** The description with the note, where there is room for it. */
export function withNote(description: string | undefined, note: string): string {
  if (!description) return note
  const noted = `${description}\n\n${note}`
  return noted.length <= MAX_DESCRIPTION ? noted : description
}
