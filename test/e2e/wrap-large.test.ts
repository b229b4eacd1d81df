import { largeAnswers } from './wrap-large.ts'

largeAnswers({ lines: 8_000, size: 200_000 })
