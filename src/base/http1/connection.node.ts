/**
 * One connection to an upstream: a socket, over TLS or not, that carries one request after the
 * other. Reads go into memory that is used again, so that a read allocates nothing but the bytes
 * that are handed on.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import type { TransportFailure } from '../transport.ts';
import type { Carrier, ClientExchange, WireRequest } from './exchange.ts';
import { toFailure } from './failure.ts';
import { PoolPlace, type ConnectionOwner, type PooledConnection } from './pool.ts';
import { openReadBuffer, ResponseReader, type ReadBuffer } from './response-reader.node.ts';

const READ_BYTES = 64 * 1024;
const REST_MS_MAX = 30_000;
/** So much sooner than the server says: its word is on the way while its clock runs. */
const REST_MARGIN_MS = 1_000;
/** A silent peer is asked whether it is still there: a model may think for many minutes. */
const PROBE_AFTER_MS = 60_000;
/** Up to here one copy of the body costs less than a second write. */
const JOINED_BODY_BYTES_MAX = 32 * 1024;

const ENDED: TransportFailure = { kind: 'reset', message: 'the server closed the connection' };
const UNASKED: TransportFailure = { kind: 'protocol', message: 'the server spoke unasked' };
const SPENT: TransportFailure = { kind: 'aborted', message: 'the connection was used up' };
const ABANDONED: TransportFailure = { kind: 'aborted', message: 'the request was given up' };

/** What all connections of a transport share. */
export class ConnectionSupplies {
  /**
   * One buffer for all: libuv asks for it, fills it and tells us without anything in between. Not
   * on Windows, where libuv hands it to the system before there is anything to read, and others
   * would read into it meanwhile.
   */
  readonly #readBuffer: ReadBuffer | null;
  #secureContext: SecureContext | null = null;

  constructor(platform: string) {
    this.#readBuffer = platform === 'win32' ? null : openReadBuffer(READ_BYTES);
  }

  readBuffer(): ReadBuffer {
    return this.#readBuffer ?? openReadBuffer(READ_BYTES);
  }

  /** Node's own roots and those of NODE_EXTRA_CA_CERTS: read once, since reading them is slow. */
  secureContext(): SecureContext {
    this.#secureContext ??= createSecureContext();
    return this.#secureContext;
  }
}

/** Where the connections of a pool go. */
export interface Origin {
  readonly secure: boolean;
  /** A name or an address, without brackets. */
  readonly host: string;
  /** What TLS asks for, and what the certificate must be of. */
  readonly serverName: string;
  readonly port: number;
  readonly connectTimeoutMs: number;
  readonly supplies: ConnectionSupplies;
  /** The last TLS session there: the next handshake goes on from it. */
  session: Buffer | undefined;
}

type OnRead = (bytesRead: number) => boolean;

function openSocket(origin: Origin, buffer: ReadBuffer, callback: OnRead): Socket {
  const { host, serverName, port, supplies } = origin;
  const to = { host, port, onread: { buffer: buffer.bytes, callback } };
  if (!origin.secure) return connectTcp(to);
  const secure = {
    ...to,
    // RFC 6066, 3: an address is no server name.
    servername: isIP(serverName) === 0 ? serverName : '',
    ALPNProtocols: ['http/1.1'],
    secureContext: supplies.secureContext(),
  };
  const socket = connectTls(
    origin.session === undefined ? secure : { ...secure, session: origin.session },
  );
  socket.on('session', (session: Buffer) => {
    origin.session = session;
  });
  return socket;
}

export class Connection implements PooledConnection, Carrier {
  readonly place = new PoolPlace();
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #input: ReadBuffer;
  readonly #reader: ResponseReader;
  /** Until the connection stands. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #handshaking: boolean;
  #closed = false;
  #exchange: ClientExchange | null = null;

  constructor(origin: Origin, owner: ConnectionOwner) {
    const { supplies, secure, connectTimeoutMs } = origin;
    this.#owner = owner;
    this.#handshaking = secure;
    this.#input = supplies.readBuffer();
    this.#reader = new ResponseReader();
    const socket = openSocket(origin, this.#input, (bytesRead) => this.#onRead(bytesRead));
    this.#socket = socket;
    this.#timer = setTimeout(() => {
      const message = `no connection within ${connectTimeoutMs} ms`;
      this.close({ kind: 'connect_timeout', message });
    }, connectTimeoutMs);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, PROBE_AFTER_MS);
    socket.once(secure ? 'secureConnect' : 'connect', () => this.#onConnect());
    socket.on('error', (error) => this.close(toFailure(error, this.#handshaking)));
    socket.once('end', () => this.#onEnd());
    socket.once('close', () => this.close(ENDED));
  }

  get restMsMax(): number {
    return Math.min(REST_MS_MAX, this.#reader.idleMsMax - REST_MARGIN_MS);
  }

  run(exchange: ClientExchange): void {
    this.#reader.begin();
    this.#exchange = exchange;
    exchange.carriedBy(this);
    if (exchange.paused) this.pause();
    this.#write(exchange.request);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  abandon(exchange: ClientExchange): void {
    if (this.#exchange !== exchange) return;
    this.#exchange = null;
    this.close(ABANDONED);
  }

  close(failure: TransportFailure): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket.destroy();
    const exchange = this.#exchange;
    this.#exchange = null;
    this.#owner.onClosed(this, failure);
    exchange?.carriedBy(null);
    exchange?.fail(failure);
  }

  #onConnect(): void {
    if (this.#closed) return;
    this.#handshaking = false;
    clearTimeout(this.#timer);
    this.#owner.onMade(this);
  }

  /** One write, since each is a call of the system and a packet of its own. */
  #write({ head, body }: WireRequest): void {
    const socket = this.#socket;
    if (body === null || body.length === 0) {
      socket.write(head, 'latin1');
    } else if (body.length <= JOINED_BODY_BYTES_MAX) {
      const bytes = Buffer.allocUnsafe(head.length + body.length);
      bytes.write(head, 'latin1');
      bytes.set(body, head.length);
      socket.write(bytes);
    } else {
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(body);
      socket.uncork();
    }
  }

  #onRead(bytesRead: number): boolean {
    const exchange = this.#exchange;
    if (exchange === null) {
      this.close(UNASKED);
      return false;
    }
    this.#reader.push(this.#input, bytesRead);
    this.#pass(exchange);
    return !this.#closed;
  }

  #onEnd(): void {
    const exchange = this.#exchange;
    if (exchange !== null) {
      this.#reader.finish();
      this.#pass(exchange);
    }
    this.close(ENDED);
  }

  /** Hands on what was read. What a handler does then can no longer touch the reading. */
  #pass(exchange: ClientExchange): void {
    const { head, body, failure, over } = this.#reader;
    if (over) this.#release(exchange);
    exchange.hear(head, body, over);
    if (failure !== null && this.#exchange === exchange) this.close(failure);
  }

  /** The response is over: the connection is free before its receiver hears of it. */
  #release(exchange: ClientExchange): void {
    this.#exchange = null;
    exchange.carriedBy(null);
    if (!this.#reader.reusable || this.#socket.writableLength > 0 || this.restMsMax <= 0) {
      this.close(SPENT);
      return;
    }
    if (this.#socket.isPaused()) this.#socket.resume();
    this.#owner.onFree(this);
  }
}
