import { describe, expect, it } from 'vitest'
import { questionsFor } from '../../../../src/agent/tasks/capabilities.ts'

const form = 'elicitation/create'
const page = 'elicitation/create:url'
const sample = 'sampling/createMessage'
const withTools = 'sampling/createMessage:tools'

describe('what a client can be asked', () => {
  it.each([
    [undefined, []],
    [{}, []],
    [{ elicitation: {} }, [form]],
    [{ elicitation: { form: {} } }, [form]],
    [{ elicitation: { url: {} } }, [page]],
    [{ elicitation: { form: {}, url: {} } }, [form, page]],
    [{ elicitation: { applyDefaults: true } }, [form]],
    [{ sampling: {} }, [sample]],
    [{ sampling: { context: {} } }, [sample]],
    [{ sampling: { tools: {} } }, [sample, withTools]],
    [{ elicitation: {}, sampling: {} }, [form, sample]],
  ])('is, where it declares %j, %j', (capabilities, questions) => {
    expect(questionsFor(capabilities)).toEqual(questions)
  })
})
