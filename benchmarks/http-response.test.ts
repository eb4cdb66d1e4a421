/** The load generator counts an answer as complete only when it is. */
import { describe, expect, it } from 'vitest';

import { toCompletion, toStreamWrites } from './answers.ts';
import { createResponseReader } from './http-response.ts';

interface Heard {
  readonly events: string[];
  readonly bodies: string[];
  readonly idle: boolean;
}

function readAll(reads: readonly Buffer[]): Heard {
  const events: string[] = [];
  const bodies: string[] = [];
  let body = '';
  const reader = createResponseReader({
    onHead: (status) => events.push(`head ${status}`),
    onBody: (bytes) => (body += bytes.toString('latin1')),
    onEnd: () => {
      events.push('end');
      bodies.push(body);
      body = '';
    },
    onBroken: (reason) => events.push(`broken: ${reason}`),
  });
  for (const read of reads) reader.push(read);
  return { events, bodies, idle: reader.idle() };
}

describe('the response reader', () => {
  it('hears the same answers when their bytes are cut anywhere', () => {
    const stream = Buffer.concat(toStreamWrites('bench-stream-100', 6));
    const wire = Buffer.concat([toCompletion('bench-instant', 3), stream]);
    const whole = readAll([wire]);
    expect(whole.events).toEqual(['head 200', 'end', 'head 200', 'end']);
    expect(JSON.parse(whole.bodies[0] ?? '')).toMatchObject({ usage: { completion_tokens: 3 } });
    const events = (whole.bodies[1] ?? '').split('\n\n').filter((event) => event !== '');
    expect(events).toHaveLength(6);
    expect(events.at(-1)).toBe('data: [DONE]');
    for (let cut = 0; cut <= wire.length; cut += 1) {
      expect(readAll([wire.subarray(0, cut), wire.subarray(cut)])).toEqual(whole);
    }
  });

  it('never ends an answer that was cut, whatever was cut off', () => {
    for (const wire of [toCompletion('bench-instant', 3), ...cutStream()]) {
      for (let cut = 1; cut < wire.length; cut += 1) {
        const { events, idle } = readAll([wire.subarray(0, cut)]);
        expect(events).not.toContain('end');
        expect(idle).toBe(false);
      }
    }
  });

  it('reports a peer that breaks the protocol and reads nothing more of it', () => {
    const heads = {
      'broken: not HTTP/1.1': 'SSH-2.0-x\r\n\r\n',
      'broken: no framing': 'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nx',
    };
    for (const [event, wire] of Object.entries(heads)) {
      expect(readAll([Buffer.from(wire), Buffer.from('more')]).events).toEqual([event]);
    }
    const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
    expect(readAll([Buffer.from(`${chunked}zz\r\n`)]).events).toContain('broken: bad chunk size');
    expect(readAll([Buffer.from(`${chunked}1\r\nabc\r\n`)]).events).toContain(
      'broken: chunk longer than its size',
    );
  });
});

function cutStream(): Buffer[] {
  return [Buffer.concat(toStreamWrites('bench-stream-100', 6))];
}
