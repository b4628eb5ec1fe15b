// The thread for bulk bytes: see flows/intake.ts.

import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from './base/clock.ts'
import { invariant } from './base/errors.ts'
import { Intake } from './flows/intake.ts'
import type { IntakeOrder, IntakeSettings } from './flows/intake-messages.ts'

invariant(parentPort !== null, 'this is the program of a thread')
const port = parentPort
const intake = new Intake(
  { clock: systemClock, post: (news) => port.postMessage(news) },
  workerData as IntakeSettings
)
port.on('message', (order: IntakeOrder) => {
  intake.order(order)
  if (order.do === 'stop') port.close()
})
