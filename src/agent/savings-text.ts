import type { TokenSavings } from '../flow/operate/savings.ts'

/** One line for whoever runs the server. */
export function savingsText({ keptOut, pagedIn, added, net }: TokenSavings): string {
  const [kept, paged, ours] = [keptOut, pagedIn, added].map(inWords)
  const result = net >= 0 ? `${inWords(net)} saved` : `${inWords(-net)} more than without`
  return `Tokens, as estimated: ${kept} kept out, ${paged} paged in, ${ours} added; ${result}.`
}

function inWords(count: number): string {
  return count.toLocaleString('en-US')
}
