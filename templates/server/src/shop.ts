import { setTimeout as sleep } from 'node:timers/promises'

export interface Order {
  id: number
  month: number
  city: string
  total: number
}

/** Where the tools get their data. */
export interface Shop {
  /** Of a month, or of the whole year. */
  orders(when: { year: number; month?: number }, signal?: AbortSignal): Promise<Order[]>
  wages(): Promise<number[]>
}

/** Made-up data, in the time of a slow database. Put your own in its place. */
export const sampleShop: Shop = {
  async orders({ year, month }, signal) {
    await sleep(400, undefined, { signal })
    const orders = Array.from({ length: 6_000 }, (_, n) => ({
      id: year * 10_000 + n,
      month: 1 + (n % 12),
      city: ['Lisbon', 'Porto', 'Faro'][(n % 7) % 3]!,
      total: 10 + ((n * 37) % 90),
    }))
    return month === undefined ? orders : orders.filter(order => order.month === month)
  },
  async wages() {
    return [48_111, 52_222, 61_333, 75_444, 90_555]
  },
}
