/** What a socket's error means to the gateway. */
import type { TransportFailure, TransportFailureKind } from '../transport.ts';

const FAILURE_KINDS: Readonly<Record<string, TransportFailureKind>> = {
  ECONNREFUSED: 'connect_refused',
  EHOSTUNREACH: 'connect_refused',
  ENETUNREACH: 'connect_refused',
  ETIMEDOUT: 'connect_timeout',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
};

/** An error that says why of each address that was tried says nothing itself. */
function wordsOf(error: Error): string {
  if (error.message !== '' || !(error instanceof AggregateError)) return error.message;
  return error.errors
    .map((each: unknown) => (each instanceof Error ? each.message : String(each)))
    .join('; ');
}

/** What failed, where its code is none of those above. */
const SYSCALL_KINDS: Readonly<Record<string, TransportFailureKind>> = {
  connect: 'connect_refused',
  getaddrinfo: 'dns',
};

function textOf(error: Error, name: 'code' | 'syscall'): string {
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : '';
}

/** `handshaking`: TLS was being agreed on, so what is no failure of the network is one of TLS. */
export function toFailure(error: Error, handshaking: boolean): TransportFailure {
  const code = textOf(error, 'code');
  const tls = handshaking || code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL');
  const kind =
    FAILURE_KINDS[code] ?? SYSCALL_KINDS[textOf(error, 'syscall')] ?? (tls ? 'tls' : 'protocol');
  return { kind, message: `${code === '' ? error.name : code}: ${wordsOf(error)}` };
}
