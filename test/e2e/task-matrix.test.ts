import { CELLS, taskMatrix } from './task-matrix.ts'

/** The quick part of the matrix: what only a client that nobody here wrote can show. All of it is in the slow tests. */
taskMatrix(
  CELLS.filter(
    ({ wire, ownTasks, does }) => wire === 'stdio' && !ownTasks && does === 'is asked in the middle',
  ),
)
