/** /v1/credits: what an organization has, and grants to it by its management keys. */
import type { Hono } from 'hono';
import type { Caller } from '#identity/identity.ts';
import type { Book } from '#ledger/ledger.ts';
import { creditGrantForm } from '#wire/credits.ts';
import { toIsoTime } from './answer.ts';
import { answer, readOrThrow, refuseMethod, requireManagement, type ApiContext } from './frame.ts';
import type { ApiEnv, ApiServices } from './ports.ts';
import { readForm } from './read-body.ts';

/** Adds the routes to an app made by `createFrame`. */
export function addCreditRoutes(app: Hono<ApiEnv>, services: ApiServices): void {
  app.get('/credits', (context) => showCredits(context, services));
  app.all('/credits', refuseMethod('GET'));
  app.post('/credits/grants', (context) => grantCredit(context, services));
  app.all('/credits/grants', refuseMethod('POST'));
}

/** A test key sees the credit of the sandbox: the one that it uses. */
function bookOf(caller: Caller): Book {
  return caller.kind === 'test' ? 'test' : 'live';
}

async function showCredits(context: ApiContext, services: ApiServices): Promise<Response> {
  const caller = context.get('caller');
  const read = await services.ledger.creditSummary(caller.organizationId, bookOf(caller));
  const credit = readOrThrow(read);
  return answer(context, 200, {
    data: {
      total_credits: credit.totalCredits,
      total_usage: credit.totalUsage,
      held: credit.held,
      available: credit.available,
    },
  });
}

async function grantCredit(context: ApiContext, services: ApiServices): Promise<Response> {
  requireManagement(context, 'grant credit');
  const body = await readForm(context.req.raw, creditGrantForm);
  const { organizationId, keyId } = context.get('caller');
  const { mode: book = 'live' } = body;
  const grant = await services.credit.grant({
    organizationId,
    book,
    amount: body.amount_usd,
    reason: body.reason,
    grantedBy: keyId,
  });
  return answer(context, 201, {
    data: {
      id: grant.id,
      amount_usd: body.amount_usd,
      reason: body.reason,
      mode: book,
      expires_at: null,
      created_at: toIsoTime(grant.createdAtMs),
    },
  });
}
