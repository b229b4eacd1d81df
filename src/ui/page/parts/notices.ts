import { html } from 'htm/preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Row } from '../../api.ts'
import type { Notice } from '../state/actions.ts'
import { shortRef } from '../words.ts'

/** What actions did. Both regions are always there, or a screen reader would not listen to them. */
export function Notices({
  notices,
  onDismiss,
}: {
  notices: readonly Notice[]
  onDismiss: (id: number) => void
}) {
  const list = (isProblem: boolean) =>
    notices
      .filter(notice => notice.isProblem === isProblem)
      .map(
        ({ id, text }) => html`<p key=${id} class="notice ${isProblem ? 'is-problem' : ''}">
          <span>${text}</span>
          <button type="button" class="icon-button" aria-label="Dismiss" onClick=${() => onDismiss(id)}>×</button>
        </p>`,
      )
  return html`<div class="notices">
    <div role="status" aria-live="polite">${list(false)}</div>
    <div role="alert">${list(true)}</div>
  </div>`
}

interface ConfirmProps {
  readonly row: Row
  readonly onDelete: () => void
  readonly onKeep: () => void
}

/** Asks before something is gone. The browser keeps the focus inside, and closes it by Esc. */
export function ConfirmDelete({ row, onDelete, onKeep }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const before = document.activeElement
    dialog.current?.showModal()
    return () => {
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  const uses = row.usedBy ?? 0
  return html`<dialog ref=${dialog} class="confirm" aria-labelledby="confirm-title" onClose=${onKeep}>
    <h2 id="confirm-title">Delete ${row.tool ?? row.label ?? 'this entry'}?</h2>
    <p>
      The value of <code>${shortRef(row.ref)}</code> is gone then, for every agent.
      ${uses > 0 ? ' What was made of it stays.' : ''}
    </p>
    <div class="buttons">
      <button type="button" autofocus onClick=${onKeep}>Keep</button>
      <button type="button" class="is-danger" onClick=${onDelete}>Delete</button>
    </div>
  </dialog>`
}
