// The names under which two nodes agree to speak a protocol. The number at the end is its version:
// it changes only when a node of the old version could not follow.

export const HELLO_ID = '/tumesh/hello/1'
export const ENTRIES_ID = '/tumesh/entries/1'
export const BLOBS_ID = '/tumesh/blobs/1'
/** For meshes that get their secret while they run. */
export const SECRET_ID = '/tumesh/secret/1'
/** How two nodes agree on a connection beside libp2p for bulk bytes. */
export const LANE_ID = '/tumesh/lane/1'
