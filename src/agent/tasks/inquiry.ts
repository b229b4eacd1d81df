import { randomUUID } from 'node:crypto'
import type { SeenTask } from './read.ts'

/**
 * How a wrapper around a server learns of a task what the server knows: it asks the server itself for the task, as
 * the client would, with the id of a request that nobody else can have. Whatever authenticates, checks and
 * authorizes requests there has then had its say, and the handler leaves here what it came to.
 */
const inquiries = new Map<string, (task: SeenTask) => void>()

/** @param ask sends a `tasks/get` with the given id, and resolves when it has been answered */
export async function inquire(ask: (id: string) => Promise<unknown>): Promise<SeenTask | undefined> {
  const id = `listen-${randomUUID()}`
  let found: SeenTask | undefined
  inquiries.set(id, task => {
    found = task
  })
  try {
    await ask(id)
    return found
  } finally {
    inquiries.delete(id)
  }
}

/** Called by the handler of `tasks/get` for a task that its caller may follow. */
export function answerInquiry(requestId: string | number, task: SeenTask): void {
  if (typeof requestId === 'string') inquiries.get(requestId)?.(task)
}
