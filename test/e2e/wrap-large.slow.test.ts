import { largeAnswers } from './wrap-large.ts'

// A text of more than 5 MB.
largeAnswers({ lines: 60_000, size: 1_500_000 })
