import type { Changes, Row } from '../../api.ts'

type Changed = Pick<Changes, 'changed' | 'deleted'>

/** What changes while something loads: the answer may be older than that, so it is applied once more on top of it. */
export class Meanwhile {
  #changes: Changed[] = []
  #loading = 0

  /** Something loads from now on. @returns what ends it, and gives the last that was heard of each entry since */
  begin(): () => Changed {
    const from = this.#changes.length
    this.#loading += 1
    return () => {
      const heard = lastOfEach(this.#changes.slice(from))
      this.#loading -= 1
      if (this.#loading === 0) this.#changes = []
      return heard
    }
  }

  add(changes: Changed): void {
    if (this.#loading > 0) this.#changes.push(changes)
  }
}

function lastOfEach(changes: readonly Changed[]): Changed {
  const rows = new Map<string, Row>()
  const gone = new Set<string>()
  for (const { changed, deleted } of changes) {
    for (const row of changed) {
      rows.set(row.ref, row)
      gone.delete(row.ref)
    }
    for (const ref of deleted) {
      rows.delete(ref)
      gone.add(ref)
    }
  }
  return { changed: [...rows.values()], deleted: [...gone] }
}
