/** The known word that was probably meant, if one is close. */
export function suggest(word: string, known: readonly string[]): string | undefined {
  const [best] = ranked(word, known)
  return best && best.distance <= Math.max(2, Math.floor(best.candidate.length / 3))
    ? best.candidate
    : undefined
}

/** A sentence that helps who gave an unknown word: what was probably meant, else all that there is. */
export function hint(word: string, known: readonly string[]): string {
  const meant = suggest(word, known)
  return meant === undefined ? `There are: ${known.join(', ')}.` : `Did you mean '${meant}'?`
}

/** All known words, those first that look most like the word. */
export function nearestFirst(word: string, known: readonly string[]): string[] {
  return ranked(word, known).map(({ candidate }) => candidate)
}

const MAX_COMPARED = 50

function ranked(word: string, known: readonly string[]) {
  const compared = word.slice(0, MAX_COMPARED).toLowerCase()
  return known
    .map(candidate => ({ candidate, distance: distance(compared, candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
}

/** Levenshtein's: how many letters to add, drop or change. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
