import { html } from 'htm/preact'

interface ChoicesProps<Value> {
  /** What is chosen between, for screen readers; also keeps the buttons of two groups apart. */
  readonly name: string
  readonly values: ReadonlyArray<{ readonly value: Value; readonly label: string }>
  readonly chosen: Value
  readonly onChoose: (value: Value) => void
}

/** A few ways, of which one is chosen. */
export function Choices<Value extends string | number>({
  name,
  values,
  chosen,
  onChoose,
}: ChoicesProps<Value>) {
  return html`<div class="choices" role="radiogroup" aria-label=${name}>
    ${values.map(
      ({ value, label }) => html`<label key=${value} class="choice">
        <input type="radio" name=${name} checked=${value === chosen} onChange=${() => onChoose(value)} />
        <span>${label}</span>
      </label>`,
    )}
  </div>`
}
