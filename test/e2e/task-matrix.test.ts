import { CELLS, taskMatrix } from './task-matrix.ts'

/** The quick part of the matrix: one client of each revision, with what needs most of it. All of it is in the slow tests. */
const CLIENTS = ['the client of SDK v1', 'ext-tasks at 2026-07-28']

taskMatrix(
  CELLS.filter(
    ({ client, wire, ownTasks, does }) =>
      CLIENTS.includes(client) && wire === 'stdio' && !ownTasks && does === 'is asked in the middle',
  ),
)
