/**
 * Reads HTTP/1.1 requests off a raw socket for the mock upstream: as little as is correct. Bodies
 * must have a content-length, may come in any number of reads, and are not kept beyond their
 * beginning, because only the model's name is of interest.
 */

export interface RequestSeen {
  readonly method: string;
  readonly path: string;
  /** The first bytes of the body, as text, at most `PREFIX_BYTES`. */
  readonly bodyPrefix: string;
}

export interface RequestEvents {
  onRequest(request: RequestSeen): void;
  /** The peer speaks something that is not supported; nothing more is read. */
  onRefused(reason: 'chunked body' | 'head too large'): void;
}

const PREFIX_BYTES = 512;
const HEAD_BYTES_MAX = 65_536;
const HEAD_END = Buffer.from('\r\n\r\n');
const EMPTY = Buffer.alloc(0);

interface Body {
  readonly method: string;
  readonly path: string;
  remaining: number;
  prefix: Buffer;
}

/** Returns the function that takes each read of one connection. */
export function createRequestReader(events: RequestEvents): (bytes: Buffer) => void {
  let head: Buffer = EMPTY;
  let body: Body | null = null;
  let refused = false;

  function refuse(reason: 'chunked body' | 'head too large'): Buffer {
    refused = true;
    events.onRefused(reason);
    return EMPTY;
  }

  /** Takes what belongs to the body and returns the rest. */
  function takeBody(current: Body, bytes: Buffer): Buffer {
    const taken = bytes.subarray(0, current.remaining);
    const wanted = PREFIX_BYTES - current.prefix.length;
    if (wanted > 0) current.prefix = Buffer.concat([current.prefix, taken.subarray(0, wanted)]);
    current.remaining -= taken.length;
    if (current.remaining === 0) {
      body = null;
      const { method, path, prefix } = current;
      events.onRequest({ method, path, bodyPrefix: prefix.toString('utf8') });
    }
    return bytes.subarray(taken.length);
  }

  function takeHead(bytes: Buffer): Buffer {
    const joined = head.length === 0 ? bytes : Buffer.concat([head, bytes]);
    const end = joined.indexOf(HEAD_END);
    if (end < 0) {
      head = joined;
      return joined.length > HEAD_BYTES_MAX ? refuse('head too large') : EMPTY;
    }
    head = EMPTY;
    const text = joined.toString('latin1', 0, end);
    if (/\r\ntransfer-encoding:/i.test(text)) return refuse('chunked body');
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? 0);
    const [method = '', path = ''] = text.slice(0, text.indexOf('\r\n')).split(' ');
    const rest = joined.subarray(end + HEAD_END.length);
    const current = { method, path, remaining: length, prefix: EMPTY };
    body = current;
    // Without a body the request is complete here, and no further read may come to say so.
    if (length === 0) takeBody(current, EMPTY);
    return rest;
  }

  return function push(bytes) {
    let rest = refused ? EMPTY : bytes;
    while (rest.length > 0) rest = body === null ? takeHead(rest) : takeBody(body, rest);
  };
}
