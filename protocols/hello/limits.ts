// What a hello may hold.

export const HELLO_LIMITS = {
  /** One connection needs one; the second is for a node that asks again. */
  streamsMax: 2,
  /** Twice what all fields below hold at most, so that fields of later versions have room. */
  requestBytesMax: 16 * 1024,
  answerBytesMax: 16 * 1024
} as const

export const PROTOCOLS_MAX = 32
export const PROTOCOL_BYTES_MAX = 64
/** A name is chosen by a person, and read in every list of servers. */
export const NAME_BYTES_MAX = 128
export const PRODUCT_VERSION_BYTES_MAX = 64
/** Ids are hex of 16 random bytes; longer ones have room. */
export const ID_BYTES_MAX = 64
/** Each merge of two meshes adds one. */
export const CLUSTER_IDS_MAX = 32
export const ADDRESSES_MAX = 16
export const ADDRESS_BYTES_MAX = 256
export const PORT_MAX = 65_535
