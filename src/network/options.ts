// What can be set about the mesh: `p2p` and `cluster`.

import { z } from 'zod'
import {
  booleanField,
  hostField,
  listField,
  nameField,
  pathField,
  portField
} from '../base/fields.ts'

const REMEMBERED = 'a free one at the first start, then remembered'

export const p2pSection = z.strictObject({
  host: hostField().prefault('0.0.0.0').describe('Address to listen on for other nodes'),
  port: portField()
    .optional()
    .describe('Port for other nodes')
    .meta({ unset: REMEMBERED, example: 4001 }),
  lane_port: portField()
    .optional()
    .describe('Port for bulk bytes')
    .meta({ unset: REMEMBERED, example: 4002 }),
  mdns: booleanField().prefault(true).describe('Find nodes on the local network'),
  bootstrap: listField('multiaddrs (/ip4/…/tcp/…) or http://host:8000', readAddress)
    .prefault([])
    .describe('Nodes to meet at start')
})

export interface P2pOptions {
  readonly host: string
  /** Undefined: a free one, remembered. */
  readonly port: number | undefined
  readonly lanePort: number | undefined
  readonly mdns: boolean
  readonly bootstrap: readonly string[]
}

export function p2pOptions(section: z.output<typeof p2pSection>): P2pOptions {
  return {
    host: section.host,
    port: section.port,
    lanePort: section.lane_port,
    mdns: section.mdns,
    bootstrap: section.bootstrap
  }
}

export const clusterSection = z.strictObject({
  name: nameField().prefault('default').describe('Only nodes of one cluster meet'),
  secret_file: pathField()
    .optional()
    .describe('File with the secret that all nodes of the cluster share')
    .meta({ unset: 'none: only the local network may join', example: '/etc/tumesh/secret' })
})

export interface ClusterOptions {
  readonly name: string
  readonly secretFile: string | undefined
}

export function clusterOptions(section: z.output<typeof clusterSection>): ClusterOptions {
  return { name: section.name, secretFile: section.secret_file }
}

function readAddress(text: string): string | undefined {
  if (/^\/[a-z0-9]+\/\S+$/.test(text)) return text
  return /^https?:\/\/\S+$/.test(text) && URL.canParse(text) ? text : undefined
}
