/** What was read is told in order, not while the receiver pauses, and never after the end. */
import { describe, expect, it } from 'vitest';
import type { UpstreamHandler } from '../transport.ts';
import { ClientExchange } from './exchange.ts';
import type { ResponseHead } from './response-head.ts';

const HEAD: ResponseHead = {
  status: 200,
  headers: {},
  framing: 'until_close',
  length: 0,
  persistent: false,
  idleMsMax: 0,
};
const bytes = (text: string): Uint8Array => Buffer.from(text);

function open(on: Partial<UpstreamHandler> = {}) {
  const told: string[] = [];
  const carried: string[] = [];
  const exchange = new ClientExchange(
    { head: '', body: null },
    {
      onHead: (status, headers) => {
        told.push(`head ${status}`);
        on.onHead?.(status, headers);
      },
      onData: (piece) => {
        told.push(`data ${Buffer.from(piece).toString()}`);
        on.onData?.(piece);
      },
      onEnd: () => {
        told.push('end');
        on.onEnd?.();
      },
      onFail: ({ kind }) => void told.push(`fail ${kind}`),
    },
  );
  exchange.carriedBy({
    pause: () => void carried.push('pause'),
    resume: () => void carried.push('resume'),
    abandon: () => void carried.push('abandon'),
  });
  return { exchange, told, carried };
}

describe('tells', () => {
  it('head, data and end of one read in a row', () => {
    const { exchange, told } = open();
    exchange.hear(HEAD, bytes('a'), true);
    expect(told).toEqual(['head 200', 'data a', 'end']);
  });

  it('nothing while it is paused, and all of it in order after that', async () => {
    const { exchange, told, carried } = open({ onHead: () => exchange.pause() });
    exchange.hear(HEAD, bytes('a'), false);
    exchange.hear(null, bytes('b'), true);
    expect(told).toEqual(['head 200']);
    exchange.resume();
    expect(told).toEqual(['head 200']);
    await Promise.resolve();
    expect(told).toEqual(['head 200', 'data ab', 'end']);
    expect(carried).toEqual(['pause', 'resume']);
  });

  it('nothing to one that pauses again before it was told', async () => {
    const { exchange, told } = open();
    exchange.pause();
    exchange.hear(HEAD, null, true);
    exchange.resume();
    exchange.pause();
    await Promise.resolve();
    expect(told).toEqual([]);
    exchange.resume();
    await Promise.resolve();
    expect(told).toEqual(['head 200', 'end']);
  });

  it('of a failure after what came before it', async () => {
    const { exchange, told } = open();
    exchange.pause();
    exchange.hear(HEAD, bytes('a'), false);
    exchange.fail({ kind: 'reset', message: '' });
    exchange.resume();
    await Promise.resolve();
    expect(told).toEqual(['head 200', 'data a', 'fail reset']);
  });

  it.each(['onHead', 'onData'] as const)('nothing more once %s gives up', (name) => {
    const { exchange, told, carried } = open({ [name]: () => exchange.abort() });
    exchange.hear(HEAD, bytes('a'), true);
    exchange.fail({ kind: 'reset', message: '' });
    expect(told).toEqual(['head 200', 'data a'].slice(0, name === 'onHead' ? 1 : 2));
    expect(carried).toEqual(['abandon']);
  });

  it('whoever throws that it failed, and gives up its connection', () => {
    const { exchange, told, carried } = open({
      onData: () => {
        throw new Error('a defect');
      },
    });
    exchange.hear(HEAD, bytes('a'), true);
    exchange.hear(null, bytes('b'), true);
    expect([told, carried]).toEqual([['head 200', 'data a', 'fail protocol'], ['abandon']]);
  });
});
