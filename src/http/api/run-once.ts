/**
 * POSTs of the management routes with an `Idempotency-Key`: each runs once, and every repetition
 * gets the first answer. The secret of a key that was made is a part of that answer.
 */
import type { MiddlewareHandler } from 'hono';
import type { Claim } from '#gateway/idempotency/idempotency.ts';
import { keptHeaders, REPLAYED_HEADER } from '#gateway/idempotency/kept-answer.ts';
import { IDEMPOTENCY_HEADER } from '#gateway/idempotency/refusals.ts';
import type { ApiContext } from './frame.ts';
import type { ApiEnv, ApiServices } from './ports.ts';
import { readBytes } from './read-body.ts';

/** From here on a status is an error that the request itself has earned, and nothing was done. */
const REFUSED = 400;
const FAILED = 500;

/** For requests that have their caller already. */
export function runOnce({
  idempotency,
  log,
}: Pick<ApiServices, 'idempotency' | 'log'>): MiddlewareHandler<ApiEnv> {
  return async (context, next) => {
    const { req } = context;
    const clientKey = req.header(IDEMPOTENCY_HEADER);
    if (clientKey === undefined || req.method !== 'POST') return next();
    const body = await readBytes(req.raw);
    const requestId = context.get('requestId');
    const turn = await idempotency.begin({
      requestId,
      keyId: context.get('caller').keyId,
      clientKey,
      method: req.method,
      path: req.path,
      body,
      receipted: false,
      client: null,
    });
    if (turn.kind === 'replay') {
      const { status, headers } = turn.answer;
      log.write('info', 'replayed', { request_id: requestId, status });
      const list = [...headers, REPLAYED_HEADER, ['x-request-id', requestId] as const];
      return new Response(new Uint8Array(turn.answer.body), {
        status,
        headers: list.map(([name, value]) => [name, value]),
      });
    }
    if (turn.kind === 'gone') return undefined;
    // The routes read it once more.
    req.raw = new Request(req.raw.url, {
      method: req.method,
      headers: req.raw.headers,
      body: new Uint8Array(body),
    });
    try {
      await next();
      await finish(turn.claim, context);
    } catch (thrown) {
      await turn.claim.lose('interrupted');
      throw thrown;
    }
    return undefined;
  };
}

/** What failed on our side may have been done: the database does not always say. */
async function finish(claim: Claim, { res }: ApiContext): Promise<void> {
  const { status } = res;
  if (status >= FAILED) return claim.lose('interrupted');
  if (status >= REFUSED) return claim.release();
  const body = new Uint8Array(await res.clone().arrayBuffer());
  return claim.keep({ status, headers: keptHeaders([...res.headers]), streamed: false, body });
}
