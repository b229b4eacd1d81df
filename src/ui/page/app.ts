import { html } from 'htm/preact'
import { useEffect, useState } from 'preact/hooks'
import { ConnectionSign, ConnectionWarning } from './connection.ts'
import { Opened } from './opened/opened.ts'
import { ConfirmDelete, Notices } from './parts/notices.ts'
import { HistoryPane } from './plots/history.ts'
import { Running } from './running/running.ts'
import type { Server } from './server.ts'
import { useActions } from './state/actions.ts'
import type { Model } from './state/model.ts'
import { close, useRoute } from './state/route.ts'
import type { Session } from './state/session.ts'
import { Stored } from './stored/stored.ts'
import { Strip } from './strip.ts'

/** The page: some numbers, what runs, what is stored, and beside it what is opened. */
export function App({ session, server }: { session: Session; server: Server }) {
  const model = useModel(session)
  const route = useRoute()
  const { notices, dismiss, doomed, keep, confirmDelete, ...actions } = useActions(server, session)
  useTitle(model)
  useEscape(route !== undefined)
  const taskOf = (ref: string | undefined) => model.tasks.find(({ row }) => row.ref === ref)
  const rowOf = (ref: string | undefined) => taskOf(ref)?.row ?? model.list.rows.find(row => row.ref === ref)
  const task = taskOf(route?.ref)
  const row = rowOf(route?.ref)
  const remove = async () => {
    if (doomed === undefined) return
    const isGone = await confirmDelete(doomed)
    if (isGone && route?.ref === doomed.ref) leave()
  }
  return html`
    <header class="top">
      <h1><span class="logo" aria-hidden="true"></span>mcp-refcache</h1>
      <${ConnectionWarning} connection=${model.connection} />
      <${ConnectionSign} connection=${model.connection} />
    </header>
    <main class=${route === undefined ? '' : 'has-opened'}>
      <${Strip} overview=${model.overview} />
      <${Running} tasks=${model.tasks} isLoaded=${model.loads > 0} overview=${model.overview} openedRef=${route?.ref} actions=${actions} session=${session} />
      <${Stored} model=${model} session=${session} openedRef=${route?.ref} />
      ${
        route === undefined
          ? html`<${HistoryPane} server=${server} isReady=${model.loads > 0} sight=${model.overview?.sight} />`
          : html`<${Opened} route=${route} server=${server} actions=${actions} row=${row} task=${task} statusOf=${(ref: string) => rowOf(ref)?.status} loads=${model.loads} onClose=${leave} />`
      }
    </main>
    <${Notices} notices=${notices} onDismiss=${dismiss} />
    ${doomed !== undefined && html`<${ConfirmDelete} row=${doomed} onDelete=${remove} onKeep=${keep} />`}
  `
}

function useModel(session: Session): Model {
  const [model, setModel] = useState(session.model)
  useEffect(() => {
    setModel(session.model)
    return session.subscribe(() => setModel(session.model))
  }, [session])
  return model
}

/** A tab in the background says how many tasks run. */
function useTitle({ overview }: Model): void {
  const running = overview?.running ?? 0
  useEffect(() => {
    document.title = running === 0 ? 'mcp-refcache' : `(${running}) mcp-refcache`
  }, [running])
}

/** Closes what is opened. The focus that was in there goes to the list. */
function leave(): void {
  const isElsewhere = document.activeElement?.closest('.running, .stored')
  close()
  if (!isElsewhere) document.querySelector<HTMLElement>('.entries')?.focus()
}

/** Esc closes what is opened, wherever one is. */
function useEscape(isOpened: boolean): void {
  useEffect(() => {
    if (!isOpened) return
    const listener = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented || document.querySelector('dialog[open]') !== null)
        return
      leave()
    }
    addEventListener('keydown', listener)
    return () => removeEventListener('keydown', listener)
  }, [isOpened])
}
