import { CELLS, taskMatrix } from './task-matrix.ts'

taskMatrix(CELLS)
