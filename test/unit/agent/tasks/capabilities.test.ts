import { describe, expect, it } from 'vitest'
import { askableOf } from '../../../../src/agent/tasks/capabilities.ts'

const form = { form: {} }
const page = { url: {} }

describe('what a client can be asked', () => {
  it.each([
    [undefined, undefined],
    [{}, undefined],
    [{ elicitation: {} }, { elicitation: form }],
    [{ elicitation: { form: {} } }, { elicitation: form }],
    [{ elicitation: { url: {} } }, { elicitation: page }],
    [{ elicitation: { form: {}, url: {} } }, { elicitation: { ...form, ...page } }],
    [{ elicitation: { applyDefaults: true } }, { elicitation: form }],
    [{ sampling: {} }, { sampling: {} }],
    [{ sampling: { context: {} } }, { sampling: {} }],
    [{ sampling: { tools: {} } }, { sampling: { tools: {} } }],
    [
      { elicitation: {}, sampling: {} },
      { elicitation: form, sampling: {} },
    ],
  ])('is, where it declares %j, %j', (capabilities, asked) => {
    expect(askableOf(capabilities)).toEqual(asked)
  })
})
