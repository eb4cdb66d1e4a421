/** The mock upstream hears every request, however its bytes were cut on the way. */
import { describe, expect, it } from 'vitest';

import type { RequestSeen } from './http-request.ts';
import { createRequestReader } from './http-request.ts';

function readAll(reads: readonly Buffer[]): { requests: RequestSeen[]; refused: string[] } {
  const requests: RequestSeen[] = [];
  const refused: string[] = [];
  const push = createRequestReader({
    onRequest: (request) => requests.push(request),
    onRefused: (reason) => refused.push(reason),
  });
  for (const read of reads) push(read);
  return { requests, refused };
}

function post(body: string): Buffer {
  return Buffer.from(
    `POST /v1 HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
}

describe('the request reader', () => {
  it('hears the same requests when their bytes are cut anywhere', () => {
    const get = Buffer.from('GET /health HTTP/1.1\r\nhost: a\r\n\r\n');
    const wire = Buffer.concat([post('{"model":"bench-instant"}'), get, post('{"n":2}')]);
    const expected = [
      { method: 'POST', path: '/v1', bodyPrefix: '{"model":"bench-instant"}' },
      { method: 'GET', path: '/health', bodyPrefix: '' },
      { method: 'POST', path: '/v1', bodyPrefix: '{"n":2}' },
    ];
    for (let cut = 0; cut <= wire.length; cut += 1) {
      const { requests } = readAll([wire.subarray(0, cut), wire.subarray(cut)]);
      expect(requests).toEqual(expected);
    }
  });

  it('waits for the whole of a large body and keeps only its beginning', () => {
    const body = `{"model":"bench-real",${'x'.repeat(200_000)}`;
    const wire = post(body);
    expect(readAll([wire.subarray(0, -1)]).requests).toEqual([]);
    const { requests } = readAll([wire.subarray(0, 70_000), wire.subarray(70_000)]);
    expect(requests).toEqual([{ method: 'POST', path: '/v1', bodyPrefix: body.slice(0, 512) }]);
  });

  it('refuses a chunked body instead of misreading it', () => {
    const wire = Buffer.from('POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello');
    expect(readAll([wire, wire])).toEqual({ requests: [], refused: ['chunked body'] });
  });
});
