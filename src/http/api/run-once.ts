/**
 * POSTs of the management routes with an `Idempotency-Key`: each runs once, and every repetition
 * gets the first answer. The secret of a key that was made is a part of that answer.
 */
import type { MiddlewareHandler } from 'hono';
import type { Claim } from '#gateway/idempotency/idempotency.ts';
import { keptHeaders, REPLAYED_HEADER } from '#gateway/idempotency/kept-answer.ts';
import { IDEMPOTENCY_HEADER } from '#gateway/idempotency/refusals.ts';
import type { ApiEnv, ApiServices } from './ports.ts';
import { readBytes } from './read-body.ts';

/** From here on a status is an error that the request itself has earned, and nothing was done. */
const REFUSED = 400;
const FAILED = 500;

interface Asked {
  readonly requestId: string;
  readonly keyId: string;
  readonly clientKey: string;
  readonly method: string;
  readonly path: string;
  readonly body: Uint8Array;
}

/** The first answer to what was asked under a key, or the one that `run` makes now. */
export async function answerOnce(
  { idempotency, log }: Pick<ApiServices, 'idempotency' | 'log'>,
  asked: Asked,
  run: () => Promise<Response>,
): Promise<Response> {
  const { requestId } = asked;
  const turn = await idempotency.begin({ ...asked, receipted: false, client: null });
  if (turn.kind === 'replay') {
    const { status, headers } = turn.answer;
    log.write('info', 'replayed', { request_id: requestId, status });
    const list = [...headers, REPLAYED_HEADER, ['x-request-id', requestId] as const];
    return new Response(new Uint8Array(turn.answer.body), {
      status,
      headers: list.map(([name, value]) => [name, value]),
    });
  }
  if (turn.kind === 'gone') throw new Error('no client was given that could go');
  try {
    const response = await run();
    await finish(turn.claim, response);
    return response;
  } catch (thrown) {
    await turn.claim.lose('interrupted');
    throw thrown;
  }
}

/** For requests that have their caller already. */
export function runOnce(
  services: Pick<ApiServices, 'idempotency' | 'log'>,
): MiddlewareHandler<ApiEnv> {
  return async (context, next) => {
    const { req } = context;
    const { method, path } = req;
    const clientKey = req.header(IDEMPOTENCY_HEADER);
    if (clientKey === undefined || method !== 'POST') return next();
    const body = await readBytes(req.raw);
    const { keyId } = context.get('caller');
    const asked = { requestId: context.get('requestId'), keyId, clientKey, method, path, body };
    return answerOnce(services, asked, async () => {
      // The routes read it once more.
      const { headers, url } = req.raw;
      req.raw = new Request(url, { method, headers, body: new Uint8Array(body) });
      await next();
      return context.res;
    });
  };
}

/** What failed on our side may have been done: the database does not always say. */
async function finish(claim: Claim, response: Response): Promise<void> {
  const { status, headers } = response;
  if (status >= FAILED) return claim.lose('interrupted');
  if (status >= REFUSED) return claim.release();
  const body = new Uint8Array(await response.clone().arrayBuffer());
  return claim.keep({ status, headers: keptHeaders([...headers]), streamed: false, body });
}
