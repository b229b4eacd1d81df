import * as z from 'zod'
import { type ActorLike, toActor } from '../../access/actor.ts'
import { type AnswerLimits, budgetWithin } from '../../core/answer-limits.ts'
import type { JsonValue } from '../../core/json.ts'
import { parseJson, stringifyJson } from '../../core/json-text.ts'
import type { EditedReference } from '../../flow/derive/edit.ts'
import type { RefCache } from '../../ref-cache.ts'
import type { Edit } from '../../values/edit/edits.ts'
import { EDIT_CACHED_RESULT_DESCRIPTION } from '../instructions.ts'
import { inFieldsRead } from '../present.ts'
import { toEditResult } from '../wire.ts'
import { define, type OwnTool, ofThisCache } from './tool.ts'

const editArguments = z.strictObject({
  ref_id: z.string(),
  // What an edit looks like is checked where it is made, with better words than a schema has.
  edits: z.union([z.array(z.unknown()), z.looseObject({}), z.string()]),
})

const EDITS = {
  type: 'array',
  items: { type: 'object' },
  description: 'JSON Patch; in texts {find, replace, all?}. Values: also ref_ids.',
}

/** `edit_cached_result`. */
export function editCachedResult(cache: RefCache): OwnTool {
  return {
    ...define({
      name: 'edit_cached_result',
      title: 'Edit cached result',
      countsAsCall: true,
      description: EDIT_CACHED_RESULT_DESCRIPTION,
      annotations: {
        readOnlyHint: false,
        destructiveHint: false,
        idempotentHint: false,
        openWorldHint: false,
      },
      schema: editArguments,
      listed: { edits: EDITS },
      run: async (args, { actor, signal, limits, storing }) => {
        const edits = [parsedIfJson(args.edits)].flat().map(parsedIfJson) as Edit[]
        const edit = () => ofThisCache(cache, args.ref_id, cache.edit(args.ref_id, edits, { actor, signal }))
        const edited = await (storing ? storing(await bytesOf(cache, args.ref_id, actor), edit) : edit())
        return inFieldsRead(toEditResult(changesWithin(edited, limits)), limits?.reads)
      },
    }),
    exactNumbers: true,
  }
}

/** Of a value that the actor may not READ no copy is made. */
async function bytesOf(cache: RefCache, refId: string, actor: ActorLike | undefined): Promise<number> {
  const status = await cache.taskStatus(refId, { actor: toActor(actor) }).catch(() => undefined)
  return status?.status === 'complete' ? (status.valueBytes ?? 0) : 0
}

/** With as many changes as an answer takes beside the rest; the others are counted. */
function changesWithin(edited: EditedReference, limits: AnswerLimits | undefined): EditedReference {
  if (!limits) return edited
  const { ceiling, reads } = limits
  let room = budgetWithin(ceiling, 'character') / (reads === 'both' ? 2 : 1)
  const changes = edited.changes.filter(change => {
    room -= stringifyJson({ ...change }).length
    return room >= 0
  })
  return { ...edited, changes, moreChanges: edited.moreChanges + edited.changes.length - changes.length }
}

/** Models send a list or an object as its JSON text now and then. */
function parsedIfJson(edit: unknown): unknown {
  if (typeof edit !== 'string') return edit
  try {
    return parseJson(edit) as JsonValue
  } catch {
    return edit
  }
}
