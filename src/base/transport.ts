/**
 * The way to an upstream, as a port. Bytes are pushed: the adapter calls the handler as they come,
 * and the handler says when to pause. One adapter stands on Node's sockets (`transport.node.ts`),
 * one on `fetch` (`transport.web.ts`); the sandbox is another, in process.
 */

export interface UpstreamRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Absolute. Comes from the operator's configuration and a provider's address function only. */
  readonly url: string;
  /** Lower-cased names and their values, alternating. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | null;
}

/** Response headers, lower-cased. A repeated header keeps its last value. */
export type UpstreamHeaders = Readonly<Record<string, string>>;

export type TransportFailureKind =
  | 'connect_refused'
  | 'connect_timeout'
  | 'dns'
  | 'tls'
  | 'reset'
  | 'protocol'
  | 'too_large'
  | 'aborted';

/** `message` is for the log: it may name the host and must not reach a client. */
export interface TransportFailure {
  readonly kind: TransportFailureKind;
  readonly message: string;
}

/**
 * Called in this order: head, data any number of times, then end or fail once. Nothing after
 * abort().
 */
export interface UpstreamHandler {
  onHead(status: number, headers: UpstreamHeaders): void;
  /** The bytes belong to the receiver. */
  onData(bytes: Uint8Array): void;
  onEnd(): void;
  onFail(failure: TransportFailure): void;
}

export interface UpstreamExchange {
  /** Stop reading until `resume`: the client is slower than the upstream. */
  pause(): void;
  resume(): void;
  /** Gives the connection up. The handler hears nothing more. */
  abort(): void;
}

export interface Transport {
  /** Never throws: what goes wrong reaches `onFail`, also when it goes wrong at once. */
  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange;
  close(): Promise<void>;
}
