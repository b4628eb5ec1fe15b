// A figure that a part of the node tells to monitors, without knowing in which format.

export interface Figure {
  /** As monitors name it: `libp2p_tcp_dialer_errors_total`. */
  readonly name: string
  readonly help: string
  /** Whether it only grows while the node runs. */
  readonly grows: boolean
  /** What tells its values apart; undefined where there is but one, under the name ''. */
  readonly label: string | undefined
  readonly values: ReadonlyMap<string, number>
}
