import { onRedis, onSqlite } from './fault/backends.ts'
import { killMatrix } from './fault/kill-matrix.ts'
import { repeats } from './fault/random.ts'

const rounds = Array.from({ length: repeats(2) }, (_, number) => number + 1)

// Round 0 is in the quick part: on SQLite all of it.
onSqlite(backend => killMatrix(backend, rounds))
onRedis(backend => killMatrix(backend, [0, ...rounds]))
