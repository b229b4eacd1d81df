import { useMemo, useState } from 'preact/hooks'
import type { Done, Row } from '../../api.ts'
import { problemText, type Server } from '../server.ts'
import { shortRef } from '../words.ts'
import type { Session } from './session.ts'

/** What an action did, or why it could not. */
export interface Notice {
  readonly id: number
  readonly text: string
  readonly isProblem: boolean
}

export interface Actions {
  readonly cancel: (row: Row) => Promise<void>
  readonly retry: (row: Row) => Promise<void>
  /** Asks first. */
  readonly delete: (row: Row) => void
  readonly answer: (row: Row, answers: Readonly<Record<string, unknown>>) => Promise<boolean>
  /** Says what something else on the page did. */
  readonly say: (text: string, isProblem?: boolean) => void
}

const SHOWN_MS = 6_000
const PROBLEM_SHOWN_MS = 15_000
const MOST_NOTICES = 4

/** The actions on entries, with what they say; and the row that waits for the word whether to delete it. */
export function useActions(server: Server, session: Session) {
  const [notices, setNotices] = useState<readonly Notice[]>([])
  const [doomed, setDoomed] = useState<Row | undefined>(undefined)
  const actions = useMemo(() => createActions(server, session, setNotices, setDoomed), [server, session])
  return {
    ...actions,
    notices,
    doomed,
    keep: () => setDoomed(undefined),
    dismiss: (id: number) => setNotices(shown => shown.filter(notice => notice.id !== id)),
  }
}

type SetNotices = (change: (shown: readonly Notice[]) => readonly Notice[]) => void

function createActions(
  server: Server,
  session: Session,
  setNotices: SetNotices,
  setDoomed: (row: Row | undefined) => void,
) {
  const show = noticeBoard(setNotices)
  const perform = async (row: Row, action: () => Promise<Done>): Promise<boolean> => {
    try {
      const done = await action()
      session.apply(done.row ? { changed: [done.row], deleted: [] } : { changed: [], deleted: [row.ref] })
      show(done.message, false)
      return true
    } catch (error) {
      show(`${row.tool ?? shortRef(row.ref)}: ${problemText(error)}`, true)
      return false
    }
  }
  return {
    cancel: async (row: Row) => void (await perform(row, () => server.cancel(row.ref))),
    retry: async (row: Row) => void (await perform(row, () => server.retry(row.ref))),
    delete: (row: Row) => setDoomed(row),
    answer: (row: Row, answers: Readonly<Record<string, unknown>>) =>
      perform(row, () => server.answer(row.ref, answers)),
    say: (text: string, isProblem = false) => show(text, isProblem),
    confirmDelete: (row: Row) => {
      setDoomed(undefined)
      return perform(row, () => server.delete(row.ref))
    },
  }
}

function noticeBoard(setNotices: SetNotices) {
  let lastId = 0
  return (text: string, isProblem: boolean): void => {
    lastId += 1
    const notice: Notice = { id: lastId, text, isProblem }
    setNotices(shown => [...shown, notice].slice(-MOST_NOTICES))
    setTimeout(
      () => setNotices(shown => shown.filter(({ id }) => id !== notice.id)),
      isProblem ? PROBLEM_SHOWN_MS : SHOWN_MS,
    )
  }
}
