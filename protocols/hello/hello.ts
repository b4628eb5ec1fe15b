// What two nodes say of themselves when they meet, as a value and as a message.

import type { MessageInitShape } from '@bufbuild/protobuf'
import { badMessage, checkCount, checkNumber, checkText } from '../message.ts'
import {
  ADDRESS_BYTES_MAX,
  ADDRESSES_MAX,
  CLUSTER_IDS_MAX,
  ID_BYTES_MAX,
  NAME_BYTES_MAX,
  PORT_MAX,
  PRODUCT_VERSION_BYTES_MAX,
  PROTOCOL_BYTES_MAX,
  PROTOCOLS_MAX
} from './limits.ts'
import type { HelloSchema, Hello as Message } from './messages_pb.ts'

export interface Hello {
  /** Ids of the protocols that the node speaks. */
  readonly protocols: readonly string[]
  readonly name: string
  readonly productVersion: string
  /** Of the meshes that it belongs to, each made with the first image; several after a merge. */
  readonly clusterIds: readonly string[]
  /** Made with the database of the index: another one means that the node starts at nothing. */
  readonly databaseId: string
  readonly hasImages: boolean
  readonly httpPort: number | undefined
  /** Multiaddrs under which the node can be reached. */
  readonly addresses: readonly string[]
}

/** What was heard of the other node. */
export interface Heard extends Hello {
  /** Its clock minus ours, in milliseconds. */
  readonly clockOffsetMs: number
}

export function helloMessage(hello: Hello, clockMs: number): MessageInitShape<typeof HelloSchema> {
  return {
    ...hello,
    protocols: [...hello.protocols],
    clusterIds: [...hello.clusterIds],
    addresses: [...hello.addresses],
    httpPort: hello.httpPort ?? 0,
    clockMs: BigInt(Math.trunc(clockMs))
  }
}

/** Throws WireError if a field is not as the limits say. */
export function readHello(message: Message | undefined): { hello: Hello; clockMs: number } {
  if (message === undefined) throw badMessage('a hello without its content')
  checkCount('protocols', message.protocols.length, PROTOCOLS_MAX)
  checkCount('cluster ids', message.clusterIds.length, CLUSTER_IDS_MAX)
  checkCount('addresses', message.addresses.length, ADDRESSES_MAX)
  if (message.httpPort > PORT_MAX) throw badMessage('the HTTP port is none')
  const hello = {
    protocols: message.protocols.map((id) => checkText('a protocol', id, PROTOCOL_BYTES_MAX)),
    name: checkText('the name', message.name, NAME_BYTES_MAX),
    productVersion: checkText('the version', message.productVersion, PRODUCT_VERSION_BYTES_MAX),
    clusterIds: message.clusterIds.map((id) => checkText('a cluster id', id, ID_BYTES_MAX)),
    databaseId: checkText('the database id', message.databaseId, ID_BYTES_MAX),
    hasImages: message.hasImages,
    httpPort: message.httpPort === 0 ? undefined : message.httpPort,
    addresses: message.addresses.map((one) => checkText('an address', one, ADDRESS_BYTES_MAX))
  }
  return { hello, clockMs: checkNumber('the clock', message.clockMs) }
}
