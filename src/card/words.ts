import type { Running } from './answer.ts'

/** A time that is left, as a person says it. */
export function etaInWords(seconds: number): string {
  if (seconds < 1) return 'almost done'
  if (seconds < 90) return `about ${Math.round(seconds)} s left`
  const minutes = Math.round(seconds / 60)
  if (minutes < 90) return `about ${minutes} min left`
  return `about ${Math.round(minutes / 60)} h left`
}

/** What a line under the bar says. */
export function detailsOf({
  count,
  words,
  etaSeconds,
  attempt,
  attempts,
  isWaiting,
  isAsking,
}: Running): string[] {
  const tries = attempts === undefined ? `try ${attempt}` : `try ${attempt} of ${attempts}`
  return [
    isAsking ? 'it has a question: answer it in the chat' : undefined,
    isWaiting ? 'waiting for its turn' : undefined,
    words ?? count,
    etaSeconds === undefined ? undefined : etaInWords(etaSeconds),
    attempt > 1 ? tries : undefined,
  ].filter(part => part !== undefined)
}
