/**
 * Every way in which an upstream goes wrong before its first event (promises.md, "Faults to
 * inject"), as data: a matrix test walks the table, so a fault that is added here is tested
 * everywhere at once.
 */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { Pairs, Reply } from './fake-upstream.ts';
import {
  DONE,
  JSON_HEADERS,
  SSE_HEADERS,
  completionBody,
  errorBody,
  jsonReply,
  sseReply,
  streamEvents,
  type Mode,
} from './fake-upstream-replies.ts';

/** What a caller may see of a fault when no other endpoint can serve. */
export interface Refusal {
  readonly statuses: readonly number[];
  readonly codes: readonly string[];
}

/** Goes wrong before the first event: another endpoint serves, or the caller gets a real status. */
export interface EarlyFault {
  readonly name: string;
  readonly modes: readonly Mode[];
  readonly reply: (mode: Mode) => Reply;
  readonly alone: Refusal;
  /** It takes the gateway's timeout to notice. */
  readonly slow?: boolean;
  /** The gateway may also make the good answer of it (an encoding that it can read). */
  readonly mayServe?: boolean;
}

const BOTH: readonly Mode[] = ['json', 'stream'];
const STREAM: readonly Mode[] = ['stream'];
const JSON_ONLY: readonly Mode[] = ['json'];
const UNAVAILABLE: Refusal = {
  statuses: [502, 503],
  codes: ['upstream_error', 'no_healthy_endpoint', 'service_unavailable'],
};
const TIMED_OUT: Refusal = { statuses: [504], codes: ['upstream_timeout'] };
const LIMITED: Refusal = {
  statuses: [429, 503],
  codes: ['rate_limit_exceeded', 'no_healthy_endpoint', 'upstream_error'],
};
/** An upstream's words that must never reach a caller: they speak of our account. */
export const UPSTREAM_ACCOUNT = 'org-canary-upstream-account';

function status(code: number, headers: Pairs = []): () => Reply {
  const body = errorBody(`the upstream says ${code} to ${UPSTREAM_ACCOUNT}`, null);
  return () => jsonReply(code, body, headers);
}

function early(
  name: string,
  reply: (mode: Mode) => Reply,
  alone: Refusal = UNAVAILABLE,
): EarlyFault {
  return { name, modes: BOTH, reply, alone };
}

/** An HTTP date some seconds ahead, as a server would write it now. */
function httpDate(secondsAhead: number): string {
  return new Date(Date.now() + secondsAhead * 1000).toUTCString();
}

const STATUS_FAULTS: readonly EarlyFault[] = [
  early('429 with retry-after in seconds', status(429, [['retry-after', '7']]), LIMITED),
  early(
    '429 with retry-after as a date',
    () => status(429, [['retry-after', httpDate(9)]])(),
    LIMITED,
  ),
  early('429 with retry-after-ms', status(429, [['retry-after-ms', '1500']]), LIMITED),
  early('429 without retry-after', status(429), LIMITED),
  early('429 with an absurd retry-after', status(429, [['retry-after', '-1e99']]), LIMITED),
  early('500', status(500)),
  early('502', status(502)),
  early('503', status(503, [['retry-after', '3']])),
  early('504', status(504), {
    statuses: [502, 503, 504],
    codes: [...UNAVAILABLE.codes, 'upstream_timeout'],
  }),
  early('529 overloaded', status(529)),
  early('401 on our key', status(401)),
  early('402 on our account', status(402)),
  early('403 on our key', status(403)),
  early('302 to elsewhere', status(302, [['location', 'http://127.0.0.1:1/stolen']])),
];

const SOCKET_FAULTS: readonly EarlyFault[] = [
  early('reset before the headers', () => [{ do: 'reset' }]),
  early('FIN before the headers', () => [{ do: 'fin' }]),
  early('something that is not HTTP', () => [
    { do: 'raw', bytes: 'SSH-2.0-nope\r\n' },
    { do: 'fin' },
  ]),
  { ...early('hang before the headers', () => [{ do: 'hang' }], TIMED_OUT), slow: true },
  {
    ...early('hang after the headers', (mode) => [{ ...head(mode) }, { do: 'hang' }], TIMED_OUT),
    slow: true,
  },
  early('reset after the headers', (mode) => [
    { ...head(mode) },
    { do: 'wait', ms: 20 },
    { do: 'reset' },
  ]),
  early('duplicate content-length', (mode) => {
    const body = mode === 'stream' ? streamEvents().join('') : completionBody();
    const lengths = `content-length: ${Buffer.byteLength(body)}\r\ncontent-length: 5\r\n`;
    return [{ do: 'raw', bytes: `HTTP/1.1 200 OK\r\n${lengths}\r\n${body}` }, { do: 'fin' }];
  }),
  early('a flood of headers', () => {
    const flood = Array.from({ length: 2_000 }, (_, n) => `x-flood-${n}: ${'f'.repeat(100)}\r\n`);
    return [{ do: 'raw', bytes: `HTTP/1.1 200 OK\r\n${flood.join('')}\r\n` }, { do: 'fin' }];
  }),
];

function head(mode: Mode): Reply[number] {
  return { do: 'head', status: 200, headers: mode === 'stream' ? SSE_HEADERS : JSON_HEADERS };
}

const BODY_FAULTS: readonly EarlyFault[] = [
  early('HTML with status 200', () => [
    { do: 'head', status: 200, headers: [['content-type', 'text/html']] },
    { do: 'write', bytes: `<html><title>${UPSTREAM_ACCOUNT}</title></html>` },
    { do: 'end' },
  ]),
  early('an empty body with status 200', (mode) => [head(mode), { do: 'end' }]),
  early('a JSON error with status 200', () =>
    jsonReply(200, errorBody('overloaded', 'overloaded_error')),
  ),
  { ...early('malformed JSON', () => jsonReply(200, '{"id":"x","choices":[{')), modes: JSON_ONLY },
  { ...early('JSON that is no completion', () => jsonReply(200, '[1,2]')), modes: JSON_ONLY },
  {
    ...early('a body cut short of its length', () => [
      { do: 'head', status: 200, headers: [...JSON_HEADERS, ['content-length', '4000']] },
      { do: 'write', bytes: completionBody() },
      { do: 'reset' },
    ]),
    modes: JSON_ONLY,
  },
  {
    ...early('an error as the first event', () =>
      sseReply([`data: ${errorBody('overloaded', 'server_error')}\n\n`]),
    ),
    modes: STREAM,
  },
  {
    ...early('a malformed first event', () => sseReply(['data: {"id":"x","choices":[{\n\n'])),
    modes: STREAM,
  },
  {
    ...early('comments, then the end', () => sseReply([': ping\n\n', ': ping\n\n'])),
    modes: STREAM,
  },
  { ...early('[DONE] and nothing else', () => sseReply([DONE])), modes: STREAM },
  {
    ...early('comments, then silence', () => sseReply([': ping\n\n'], [{ do: 'hang' }]), TIMED_OUT),
    modes: STREAM,
    slow: true,
  },
];

/** A body under a content-encoding that the gateway did not ask for, or may refuse. */
function encoded(encoding: string, pack: (body: Buffer) => Buffer): (mode: Mode) => Reply {
  return (mode) => {
    const body = mode === 'stream' ? streamEvents().join('') : completionBody();
    const type = mode === 'stream' ? SSE_HEADERS : JSON_HEADERS;
    return [
      { do: 'head', status: 200, headers: [...type, ['content-encoding', encoding]] },
      { do: 'write', bytes: pack(Buffer.from(body)) },
      { do: 'end' },
    ];
  };
}

const BOMB_BYTES = 64 * 1024 * 1024;
const NESTED_LAYERS = 40;

function nest(body: Buffer): Buffer {
  let packed = body;
  for (let layer = 0; layer < NESTED_LAYERS; layer += 1) packed = gzipSync(packed);
  return packed;
}

const ENCODING_FAULTS: readonly EarlyFault[] = [
  {
    ...early(
      'gzip',
      encoded('gzip', (body) => gzipSync(body)),
    ),
    mayServe: true,
  },
  {
    ...early(
      'deflate',
      encoded('deflate', (body) => deflateSync(body)),
    ),
    mayServe: true,
  },
  {
    ...early(
      'brotli',
      encoded('br', (body) => brotliCompressSync(body)),
    ),
    mayServe: true,
  },
  {
    ...early(
      'forty nested encodings',
      encoded(Array.from({ length: NESTED_LAYERS }, () => 'gzip').join(', '), nest),
    ),
    mayServe: true,
  },
  early(
    'a gzip bomb',
    encoded('gzip', () => gzipSync(Buffer.alloc(BOMB_BYTES, 'a'))),
  ),
  early(
    'an unknown encoding',
    encoded('rot13', (body) => body),
  ),
];

export const EARLY_FAULTS: readonly EarlyFault[] = [
  ...STATUS_FAULTS,
  ...SOCKET_FAULTS,
  ...BODY_FAULTS,
  ...ENCODING_FAULTS,
];
