import { describe, expect, it } from 'vitest'
import {
  CANCEL_TASK_DESCRIPTION,
  EDIT_CACHED_RESULT_DESCRIPTION,
  GET_CACHED_RESULT_DESCRIPTION,
  RETRY_TASK_DESCRIPTION,
  SERVER_INSTRUCTIONS,
  TOOL_NOTE,
} from '../../../src/agent/instructions.ts'

const ENOUGH = 500
const MOST = 2_048

describe('what an agent is told', () => {
  it(`fits ${MOST} characters in total`, () => {
    const all = [
      SERVER_INSTRUCTIONS,
      GET_CACHED_RESULT_DESCRIPTION,
      CANCEL_TASK_DESCRIPTION,
      RETRY_TASK_DESCRIPTION,
      EDIT_CACHED_RESULT_DESCRIPTION,
      TOOL_NOTE,
    ]
    expect(all.join('').length).toBeLessThanOrEqual(MOST)
  })

  it(`says in its first ${ENOUGH} characters what each status asks for, and what never to do`, () => {
    const [first = ''] = SERVER_INSTRUCTIONS.split('\n\n')
    expect(first.length).toBeLessThanOrEqual(ENOUGH)
    for (const word of [
      'get_cached_result',
      'cancel_task',
      'ref_id',
      'is_complete',
      'preview',
      'page',
      'pending',
      'processing',
      'failed',
      'cancelled',
      'Never call a slow tool again',
    ]) {
      expect(first).toContain(word)
    }
  })
})
