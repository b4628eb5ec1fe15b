/** What is asked of a peer ends as its connection does: nobody is at fault, and it may be back. */
export class PeerGone extends Error {
  constructor() {
    super('the peer is gone')
  }
}
