/**
 * GET /v1/generation: the receipt of one request, as the gateway wrote it and the ledger posted
 * it.
 */
import type { Hono } from 'hono';
import { toBytes, toText } from '#base/bytes.ts';
import { generationIdOf, isId, requestIdOf } from '#base/ids.ts';
import { editJson, type JsonEdit } from '#base/json-edit.ts';
import { JSON_OBJECT } from '#base/json-index.ts';
import { scanJson } from '#base/json-scan.ts';
import { formatUsd } from '#base/money.ts';
import type { Receipt } from '#ledger/ledger.ts';
import { GatewayError } from '#wire/errors.ts';
import { generationForm } from '#wire/generation.ts';
import { quote } from '#wire/refusals.ts';
import { parseStrict } from '#wire/strict.ts';
import { toIsoTime, toResponse } from './answer.ts';
import { readOrThrow, refuseMethod, type ApiContext } from './frame.ts';
import type { ApiEnv, ApiServices } from './ports.ts';

/** What only the ledger knows; of an outcome the receipt itself says how it ended. */
const STATUS: Readonly<Record<Receipt['kind'], string | null>> = {
  outcome: null,
  swept: 'interrupted',
  correction: 'corrected',
};

/** Adds the routes to an app made by `createFrame`. */
export function addGenerationRoutes(app: Hono<ApiEnv>, services: ApiServices): void {
  app.get('/generation', (context) => showGeneration(context, services));
  app.all('/generation', refuseMethod('GET'));
}

async function showGeneration(context: ApiContext, services: ApiServices): Promise<Response> {
  const { id } = parseStrict(generationForm, context.req.query());
  // The request's own id is as good: it stands in every answer's headers.
  const requestId = isId(id, 'req_') ? id : requestIdOf(id);
  const { organizationId } = context.get('caller');
  if (requestId === null) throw noSuchGeneration(id);
  const receipt = readOrThrow(await services.ledger.readReceipt(organizationId, requestId));
  if (receipt === null) throw noSuchGeneration(id);
  const json = `{"data":${toReceiptJson(receipt)}}`;
  return toResponse(context.get('requestId'), { status: 200, json });
}

function noSuchGeneration(id: string): GatewayError {
  return new GatewayError('not_found', {
    message:
      `There is no generation ${quote(id)}. Ids stand in the x-generation-id header of an answer; ` +
      'a receipt appears within a second of its end.',
    param: 'id',
  });
}

/** The gateway's text with what the ledger knows better: nothing in it is parsed or rounded. */
function toReceiptJson(receipt: Receipt): string {
  const scanned = scanJson(toBytes(receipt.detail));
  if (!scanned.ok || scanned.value.kind(0) !== JSON_OBJECT) {
    throw new GatewayError('internal_error', {
      cause: new Error('a receipt is not a JSON object'),
    });
  }
  const cost = formatUsd(receipt.cost);
  const known: Readonly<Record<string, string>> = {
    id: JSON.stringify(generationIdOf(receipt.requestId)),
    request_id: JSON.stringify(receipt.requestId),
    total_cost: cost,
    usage: cost,
    created_at: JSON.stringify(toIsoTime(receipt.admittedAtMs)),
  };
  const status = STATUS[receipt.kind];
  const edits = Object.entries(known).map(([key, json]): JsonEdit => ({ op: 'set', key, json }));
  if (status !== null) edits.push({ op: 'set', key: 'status', json: JSON.stringify(status) });
  return toText(editJson(scanned.value, edits));
}
