/**
 * The yardstick: the proxy that one writes in ten minutes with `node:http` and `undici.request`. It
 * reads the body, forwards it, relays the answer, and does nothing else. Run as its own process.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { pipeline } from 'node:stream/promises';

import { Agent, request } from 'undici';

import { argumentAt, listenOnLoopback } from './child-side.ts';

const upstream = argumentAt(0, 'origin of the upstream');
const dispatcher = new Agent({ keepAliveTimeout: 60_000 });

function readBody(incoming: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.once('end', () => resolve(Buffer.concat(parts)));
    incoming.once('error', reject);
  });
}

async function relay(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const body = await readBody(incoming);
  const answer = await request(`${upstream}${incoming.url ?? '/'}`, {
    dispatcher,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: incoming.headers.authorization ?? '',
    },
    body,
  });
  const type = String(answer.headers['content-type']);
  if (type.startsWith('text/event-stream')) {
    outgoing.writeHead(answer.statusCode, { 'content-type': type, 'cache-control': 'no-cache' });
    await pipeline(answer.body, outgoing);
    return;
  }
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  outgoing.writeHead(answer.statusCode, {
    'content-type': type,
    'content-length': bytes.length,
  });
  outgoing.end(bytes);
}

const server = createServer({ noDelay: true, keepAliveTimeout: 60_000 }, (incoming, outgoing) => {
  relay(incoming, outgoing).catch(() => {
    if (outgoing.headersSent) outgoing.destroy();
    else outgoing.writeHead(502).end();
  });
});

listenOnLoopback(server);
