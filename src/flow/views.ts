import type { Entry } from '../core/entry.ts'
import type { JsonValue } from '../core/json.ts'
import type { Shown, Used } from '../values/view.ts'
import type { Engine } from './engine.ts'

/** What previews and pages show of an entry's value. Undefined: the value itself. */
export function shownOf(engine: Engine, entry: Entry, value: JsonValue): Shown | undefined {
  const view = viewOf(engine, entry)
  if (!view) return undefined
  return typeof view === 'function' ? { value: view(value, 'show') } : view.show(value)
}

/** What stands in another call's input for it. */
export function usedOf(engine: Engine, entry: Entry, value: JsonValue): Used {
  const view = viewOf(engine, entry)
  if (!view) return { value }
  return typeof view === 'function' ? { value: view(value, 'use') } : view.use(value)
}

/** Whether what is shown is all that a reader is after, so that the stored value passes where that fits. */
export function isWrapping(engine: Engine, entry: Entry): boolean {
  return typeof viewOf(engine, entry) === 'object'
}

function viewOf({ views }: Engine, { view }: Entry) {
  return view !== undefined && Object.hasOwn(views, view) ? views[view] : undefined
}
