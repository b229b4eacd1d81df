import { html } from 'htm/preact'
import { useState } from 'preact/hooks'
import type { Detail, Row, TaskQuestion } from '../../api.ts'
import type { Actions } from '../state/actions.ts'
import { answerOf, type Field, fieldsOf, inputNameOf } from './form.ts'
import { Address } from './media.ts'

interface QuestionsProps {
  readonly row: Row
  readonly questions: NonNullable<Detail['questions']>
  readonly actions: Actions
}

/** What a task waits for: a form for each question that a person can answer. */
export function Questions({ row, questions, actions }: QuestionsProps) {
  return Object.entries(questions).map(([key, question]) =>
    question.isForModel
      ? html`<section key=${key} class="question" aria-label="Question of the task">
          <h3>The task asks a model</h3>
          <p>${question.message} The client of the agent that waits for the task answers it.</p>
        </section>`
      : html`<${QuestionForm} key=${key} name=${key} question=${question} fields=${fieldsOf(question.schema)} row=${row} actions=${actions} />`,
  )
}

interface FormProps {
  readonly name: string
  readonly question: TaskQuestion
  readonly fields: readonly Field[]
  readonly row: Row
  readonly actions: Actions
}

function QuestionForm({ name, question: { message, url }, fields, row, actions }: FormProps) {
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | undefined>(undefined)
  const answer = async (result: object) => {
    if (isBusy) return
    setBusy(true)
    await actions.answer(row, { [name]: result })
    setBusy(false)
  }
  const onSubmit = (event: Event) => {
    event.preventDefault()
    const content: Record<string, unknown> = {}
    for (const field of fields) {
      const read = answerOf(field, new FormData(event.target as HTMLFormElement))
      if (read.problem !== undefined) return setProblem(read.problem)
      if (read.value !== undefined) content[field.name] = read.value
    }
    setProblem(undefined)
    void answer(url === undefined ? { action: 'accept', content } : { action: 'accept' })
  }
  const mayAnswer = row.may.includes('answer')
  return html`<form class="question" onSubmit=${onSubmit} aria-label="Question of the task">
    <h3>The task asks</h3>
    <p>${message}</p>
    ${url !== undefined && html`<p class="web-page"><${Address} uri=${url} /></p>`}
    ${mayAnswer && fields.map(field => html`<${FieldInput} key=${field.name} field=${field} id=${`${name}-${field.name}`} />`)}
    ${problem !== undefined && html`<p class="problem" role="alert">${problem}</p>`}
    ${
      mayAnswer &&
      html`<div class="buttons">
        <button type="button" aria-disabled=${isBusy} onClick=${() => answer({ action: 'decline' })}>Decline</button>
        <button type="submit" class="is-main" aria-disabled=${isBusy}>${url === undefined ? 'Answer' : 'Done there'}</button>
      </div>`
    }
  </form>`
}

function FieldInput({ field, id }: { field: Field; id: string }) {
  const { name, label, description, isRequired, kind, choices, initial } = field
  const common = {
    id,
    name: inputNameOf(name),
    required: isRequired && kind !== 'boolean',
    'aria-describedby': description && `${id}-more`,
  }
  const input =
    kind === 'choice'
      ? html`<select ...${common}>
          ${!isRequired && html`<option value="">–</option>`}
          ${choices?.map(({ value, title }) => html`<option key=${value} value=${value} selected=${value === initial}>${title}</option>`)}
        </select>`
      : kind === 'json'
        ? html`<textarea ...${common} rows="3" spellcheck=${false}>${initial ?? ''}</textarea>`
        : kind === 'boolean'
          ? html`<input ...${common} type="checkbox" checked=${initial === 'true'} />`
          : html`<input ...${common} type=${kind === 'text' ? 'text' : 'number'} step=${kind === 'integer' ? 1 : 'any'} value=${initial ?? ''} />`
  return html`<div class="field is-${kind}">
    <label for=${id}>${label}${isRequired && kind !== 'boolean' ? '' : kind === 'boolean' ? '' : ' (optional)'}</label>
    ${input} ${description !== undefined && html`<p id=${`${id}-more`} class="muted">${description}</p>`}
  </div>`
}
