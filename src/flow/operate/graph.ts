import { type Actor, type ActorLike, toActor } from '../../access/actor.ts'
import { Permission } from '../../access/permission.ts'
import { type Entry, madeFrom } from '../../core/entry.ts'
import type { RefId } from '../../core/ref.ts'
import type { Engine } from '../engine.ts'
import { findLinked, howUsed, isToldUsed, isToldUser, type LinkedEntry, linked, usersSince } from './links.ts'

/** An entry in a graph of what was made of what. */
export interface GraphNode extends Omit<LinkedEntry, 'how'> {
  readonly label?: string
  /** 0: the one that was asked for; -1, -2 …: what it was made of; 1, 2 …: what was made of it. */
  readonly level: number
}

export interface GraphEdge extends Pick<LinkedEntry, 'how'> {
  /** What was used. */
  readonly from: RefId
  /** What was made of it. */
  readonly to: RefId
}

export interface EntryGraph {
  /** The nearest first. */
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
  /** So many entries that hang on these are left out, at least. */
  readonly more: number
}

const MOST_LEVELS = 3
const MOST_NODES = 60

/**
 * What an entry was made of, and what that was made of; and the same the other way. Each step is told as `linksOf` tells it, so the graph
 * has what an actor could find out by opening one after the other, and no more.
 * @throws NotFound where the actor may not know of the entry
 */
export async function graphOf(engine: Engine, refId: RefId, like: ActorLike): Promise<EntryGraph> {
  const who = toActor(like)
  const root = await findLinked(engine, refId, who)
  const graph = new Graph(engine, who)
  graph.add(root, 0)
  await addUsed(engine, graph, root, who)
  await addUsers(engine, graph, root, who)
  return graph.cut()
}

interface Placed {
  readonly entry: Entry
  readonly level: number
  /** Of those on its level. */
  readonly position: number
}

class Graph {
  readonly #placed = new Map<RefId, Placed>()
  readonly #onLevel = new Map<number, number>()

  constructor(
    private readonly engine: Engine,
    private readonly who: Actor,
  ) {}

  /** Gives whether it is new. */
  add(entry: Entry, level: number): boolean {
    if (this.#placed.has(entry.refId)) return false
    const position = this.#onLevel.get(level) ?? 0
    this.#onLevel.set(level, position + 1)
    this.#placed.set(entry.refId, { entry, level, position })
    return true
  }

  /** The level beyond the last one only says that there is more. */
  cut(): EntryGraph {
    const nearest = [...this.#placed.values()].sort(byNearness)
    const kept = nearest.slice(0, MOST_NODES).filter(({ level }) => Math.abs(level) <= MOST_LEVELS)
    const entries = new Map(kept.map(({ entry }) => [entry.refId, entry]))
    return {
      nodes: kept.map(placed => this.#node(placed)),
      edges: kept.flatMap(({ entry }) => this.#edgesTo(entry, entries)),
      more: nearest.length - kept.length,
    }
  }

  #node({ entry, level }: Placed): GraphNode {
    const { engine, who } = this
    const { how: _, ...node } = linked(engine, entry, 'input')
    const { label } = entry
    const isShown = label !== undefined && engine.access.may(entry, who, Permission.READ)
    return { ...node, ...(isShown ? { label } : {}), level }
  }

  #edgesTo(user: Entry, entries: ReadonlyMap<RefId, Entry>): GraphEdge[] {
    const used = [...new Set(madeFrom(user))].flatMap(refId => entries.get(refId) ?? [])
    return used
      .filter(one => isToldUsed(this.engine, one, user, this.who))
      .map(one => ({ from: one.refId, to: user.refId, how: howUsed(one, user) }))
  }
}

/** Both sides have their share of what is kept. */
function byNearness(one: Placed, other: Placed): number {
  return Math.abs(one.level) - Math.abs(other.level) || one.position - other.position
}

async function addUsed(engine: Engine, graph: Graph, root: Entry, who: Actor): Promise<void> {
  let users: Entry[] = [root]
  for (let level = -1; level >= -1 - MOST_LEVELS && users.length > 0; level--) {
    const refIds = [...new Set(users.flatMap(madeFrom))].slice(0, MOST_NODES)
    const entries = new Map((await engine.store.peek(refIds)).map(entry => [entry.refId, entry]))
    const found: Entry[] = []
    for (const user of users) {
      for (const used of madeFrom(user).flatMap(refId => entries.get(refId) ?? [])) {
        if (isToldUsed(engine, used, user, who) && graph.add(used, level)) found.push(used)
      }
    }
    users = found
  }
}

async function addUsers(engine: Engine, graph: Graph, root: Entry, who: Actor): Promise<void> {
  const usersOf = new Map<RefId, Entry[]>()
  for await (const user of usersSince(engine, root)) {
    for (const refId of madeFrom(user)) {
      const users = usersOf.get(refId)
      if (users) users.push(user)
      else usersOf.set(refId, [user])
    }
  }
  let used: Entry[] = [root]
  for (let level = 1; level <= 1 + MOST_LEVELS && used.length > 0; level++) {
    const found: Entry[] = []
    for (const one of used) {
      for (const user of usersOf.get(one.refId) ?? []) {
        if (isToldUser(engine, user, who) && graph.add(user, level)) found.push(user)
      }
    }
    used = found
  }
}
