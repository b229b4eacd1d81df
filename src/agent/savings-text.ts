import type { TokenSavings } from '../core/token-savings.ts'

/**
 * One line for whoever runs the server.
 * @param period such as `in the last 90 days`; without it, those of this process
 */
export function savingsText({ keptOut, pagedIn, added, net }: TokenSavings, period = ''): string {
  const [kept, paged, ours] = [keptOut, pagedIn, added].map(inWords)
  const result = net >= 0 ? `${inWords(net)} saved` : `${inWords(-net)} more than without`
  return `Tokens${period && ` ${period}`}, as estimated: ${kept} kept out, ${paged} paged in, ${ours} added; ${result}.`
}

function inWords(count: number): string {
  return count.toLocaleString('en-US')
}
