// What can be set about how much passes between nodes: `traffic`.

import { z } from 'zod'
import { choiceField, sizeField } from '../base/fields.ts'
import { COMPRESS, type Compress } from './plan-packing.ts'
import { LIMIT_MIN, type TrafficLimits } from './traffic.ts'

function limitField(text: string) {
  return sizeField(LIMIT_MIN).optional().describe(text).meta({ unset: 'no limit', example: '5MB' })
}

export const trafficSection = z.strictObject({
  compress: choiceField(COMPRESS)
    .prefault('remote')
    .describe(
      'Which servers get images packed, where that saves a fifth: those that are not in a network of this machine, all or none. JPEG, PNG and WebP never are'
    ),
  receive_reads: limitField('Bytes a second of images that a reader waits for'),
  receive_new: limitField('Bytes a second of images that were written in the last minutes'),
  receive_repair: limitField('Bytes a second of images that were lost or damaged here'),
  receive_catch_up: limitField('Bytes a second of all other images that this node lacks'),
  receive_per_server: limitField('Bytes a second from one server; readers do not wait for it'),
  receive_remote: limitField(
    'Bytes a second from all servers that are not in a network of this machine; readers do not wait'
  ),
  send_per_server: limitField('Bytes a second of images to one server'),
  send_remote: limitField(
    'Bytes a second of images to all servers that are not in a network of this machine'
  )
})

export interface TrafficOptions {
  readonly limits: TrafficLimits
  readonly compress: Compress
}

export function trafficOptions(section: z.output<typeof trafficSection>): TrafficOptions {
  const limits = {
    receive_reads: section.receive_reads,
    receive_new: section.receive_new,
    receive_repair: section.receive_repair,
    receive_catch_up: section.receive_catch_up,
    receive_per_server: section.receive_per_server,
    receive_remote: section.receive_remote,
    send_per_server: section.send_per_server,
    send_remote: section.send_remote
  }
  return { limits, compress: section.compress }
}
