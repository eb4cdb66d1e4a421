/**
 * The fastest way through Node that a gateway can take, without anything a gateway is for:
 * `node:http`, undici's `Pool.dispatch`, direct writes. What ours costs beyond this is the price of
 * its policy. Run as its own process.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';

import type { Dispatcher } from 'undici';
import { Pool } from 'undici';

import { argumentAt, listenOnLoopback } from './child-side.ts';

const pool = new Pool(argumentAt(0, 'origin of the upstream'), { keepAliveTimeout: 60_000 });

/** A JSON answer is held and written once; a stream is written as it comes. */
function createHandler(outgoing: ServerResponse): Dispatcher.DispatchHandler {
  let type = '';
  let status = 200;
  let streamed = false;
  const parts: Buffer[] = [];
  return {
    onRequestStart(controller) {
      outgoing.once('close', () => {
        if (!outgoing.writableFinished) controller.abort(new Error('the client left'));
      });
    },
    onResponseStart(_controller, statusCode, headers) {
      status = statusCode;
      type = String(headers['content-type']);
      streamed = type.startsWith('text/event-stream');
      if (streamed) outgoing.writeHead(status, { 'content-type': type });
    },
    onResponseData(controller, bytes) {
      if (!streamed) {
        parts.push(bytes);
      } else if (!outgoing.write(bytes)) {
        controller.pause();
        outgoing.once('drain', () => controller.resume());
      }
    },
    onResponseEnd() {
      if (streamed) {
        outgoing.end();
        return;
      }
      const [first] = parts;
      const body = parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
      outgoing.writeHead(status, { 'content-type': type, 'content-length': body.length });
      outgoing.end(body);
    },
    onResponseError() {
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(502).end();
    },
  };
}

function relay(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const parts: Buffer[] = [];
  incoming.on('data', (part: Buffer) => parts.push(part));
  incoming.on('end', () => {
    pool.dispatch(
      {
        path: incoming.url ?? '/',
        method: 'POST',
        headers: [
          'content-type',
          'application/json',
          'authorization',
          incoming.headers.authorization ?? '',
        ],
        body: Buffer.concat(parts),
      },
      createHandler(outgoing),
    );
  });
}

listenOnLoopback(createServer({ noDelay: true, keepAliveTimeout: 60_000 }, relay));
