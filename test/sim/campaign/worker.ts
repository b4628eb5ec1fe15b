// A process that does the jobs it is sent, one after the other, and ends with the one that sent
// them.

import { doJob, type Job } from './jobs.ts'

process.on('message', (job: Job) => {
  doJob(job).then(
    (result) => process.send?.(result),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    }
  )
})
process.on('disconnect', () => process.exit())
