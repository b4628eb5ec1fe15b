/** What is asked of a peer ends as its connection does: nobody's fault, and it may be back by now. */
export class PeerGone extends Error {
  constructor() {
    super('the peer is gone')
  }
}
