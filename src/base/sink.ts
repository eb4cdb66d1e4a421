/** The way to a client, as a port: where the bytes of an answer are pushed. */

export type HeaderList = readonly (readonly [name: string, value: string])[];

export interface Sink {
  /** True once `head` was called: from then on the status cannot change. */
  readonly committed: boolean;
  /** True once the client has gone or the answer has ended. */
  readonly closed: boolean;
  head(status: number, headers: HeaderList): void;
  /** False when the client cannot keep up: stop until `onDrain`. */
  write(bytes: Uint8Array): boolean;
  /** The whole answer in one write, with its content-length. */
  send(status: number, headers: HeaderList, body: Uint8Array): void;
  /** Ends a stream; with its last bytes, if there are any, in the same write. */
  end(last?: Uint8Array): void;
  /**
   * Cuts the connection without a clean end: the last resort when even an error event cannot be
   * sent.
   */
  destroy(): void;
  /** The client left before the end. At most one listener; called at most once. */
  onGone(listener: () => void): void;
  onDrain(listener: () => void): void;
}
