/**
 * /v1/keys and /v1/key: API keys, made and changed by management keys, and a key's view of
 * itself.
 */
import type { Hono } from 'hono';
import { isId } from '#base/ids.ts';
import { maxUsd, subtractUsd, ZERO_USD } from '#base/money.ts';
import type { KeyChanges, KeyDraft, KeyRecord } from '#identity/identity.ts';
import type { KeyUsage } from '#ledger/ledger.ts';
import { GatewayError } from '#wire/errors.ts';
import {
  keyChangesForm,
  keyDraftForm,
  keyListForm,
  type KeyChangesBody,
  type KeyDraftBody,
} from '#wire/keys.ts';
import { notFound, unknownUrl } from '#wire/refusals.ts';
import { parseStrict } from '#wire/strict.ts';
import { toIsoTime, type MoneyJson } from './answer.ts';
import { answer, readOrThrow, refuseMethod, requireManagement, type ApiContext } from './frame.ts';
import type { ApiEnv, ApiServices } from './ports.ts';
import { readForm } from './read-body.ts';

type UsedAmounts = Omit<KeyUsage, 'limit'>;

const NOTHING_USED: UsedAmounts = {
  total: ZERO_USD,
  daily: ZERO_USD,
  weekly: ZERO_USD,
  monthly: ZERO_USD,
};

/** Adds the routes to an app made by `createFrame`. */
export function addKeyRoutes(app: Hono<ApiEnv>, services: ApiServices): void {
  app.get('/keys', (context) => listKeys(context, services));
  app.post('/keys', (context) => createKey(context, services));
  app.all('/keys', refuseMethod('GET', 'POST'));
  app.get('/keys/:hash', (context) => showKey(context, services));
  app.patch('/keys/:hash', (context) => changeKey(context, services));
  app.delete('/keys/:hash', (context) => deleteKey(context, services));
  app.all('/keys/:hash', refuseMethod('GET', 'PATCH', 'DELETE'));
  app.all('/keys/:hash/rotate', (context) => {
    throw unknownUrl(
      context.req.method,
      '/v1/keys/{hash}/rotate',
      'Rotation is not available yet: make a new key, switch over, and delete the old one.',
    );
  });
  app.get('/key', (context) => showOwnKey(context, services));
  app.all('/key', refuseMethod('GET'));
}

async function listKeys(context: ApiContext, services: ApiServices): Promise<Response> {
  requireManagement(context, 'list keys');
  const { limit, offset } = parseStrict(keyListForm, context.req.query());
  const { organizationId } = context.get('caller');
  const found = await services.identity.listKeys(organizationId, { limit: limit + 1, offset });
  const records = found.slice(0, limit);
  const data = await Promise.all(records.map((record) => withUsage(record, services)));
  return answer(context, 200, { data, has_more: found.length > limit });
}

async function createKey(context: ApiContext, services: ApiServices): Promise<Response> {
  requireManagement(context, 'create keys');
  const body = await readForm(context.req.raw, keyDraftForm);
  const { organizationId } = context.get('caller');
  const draft: KeyDraft = {
    kind: toKind(body),
    name: body.name,
    organizationId,
    limit: body.limit,
  };
  const { record, secret } = await services.identity.createKey(draft);
  // Should this fail, nobody ever learns the secret.
  if (record.limit !== null) {
    const { keyId, limit } = record;
    await services.credit.setKeyLimit({ keyId, organizationId, limit });
  }
  return answer(context, 201, { data: toKeyJson(record, NOTHING_USED), key: secret });
}

function toKind(body: KeyDraftBody): KeyDraft['kind'] {
  return body.type === 'management' ? 'management' : (body.mode ?? 'live');
}

async function showKey(context: ApiContext, services: ApiServices): Promise<Response> {
  requireManagement(context, 'read other keys');
  const record = await findKey(context, services);
  return answer(context, 200, { data: await withUsage(record, services) });
}

async function changeKey(context: ApiContext, services: ApiServices): Promise<Response> {
  requireManagement(context, 'change keys');
  const body = await readForm(context.req.raw, keyChangesForm);
  const record = await findKey(context, services);
  refuseUnfit(context, record, body);
  const { organizationId, keyId } = record;
  if (body.limit !== undefined) {
    await services.credit.setKeyLimit({ keyId, organizationId, limit: body.limit });
  }
  const changed = await services.identity.updateKey(organizationId, keyId, toChanges(body));
  if (changed === null) throw noSuchKey(keyId);
  return answer(context, 200, { data: await withUsage(changed, services) });
}

function toChanges({ name, limit, disabled }: KeyChangesBody): KeyChanges {
  return {
    ...(name === undefined ? {} : { name }),
    ...(limit === undefined ? {} : { limit }),
    ...(disabled === undefined ? {} : { disabled }),
  };
}

function refuseUnfit(context: ApiContext, record: KeyRecord, body: KeyChangesBody): void {
  if (record.kind === 'management' && body.limit !== undefined && body.limit !== null) {
    throw new GatewayError('invalid_value', {
      message: 'A management key never spends, so it takes no limit.',
      param: 'limit',
    });
  }
  if (body.disabled === true) refuseOwnKey(context, record.keyId, 'disable');
}

async function deleteKey(context: ApiContext, services: ApiServices): Promise<Response> {
  requireManagement(context, 'delete keys');
  const hash = readHash(context);
  refuseOwnKey(context, hash, 'delete');
  const { organizationId } = context.get('caller');
  if (!(await services.identity.deleteKey(organizationId, hash))) throw noSuchKey(hash);
  return answer(context, 200, { hash, deleted: true });
}

/** Whoever locks himself out cannot undo it. */
function refuseOwnKey(context: ApiContext, keyId: string, deed: 'disable' | 'delete'): void {
  if (context.get('caller').keyId !== keyId) return;
  throw new GatewayError('invalid_value', {
    message: `A management key cannot ${deed} itself. Make another one and use that.`,
    param: 'hash',
  });
}

async function showOwnKey(context: ApiContext, services: ApiServices): Promise<Response> {
  const { organizationId, keyId } = context.get('caller');
  const record = await services.identity.getKey(organizationId, keyId);
  if (record === null) throw noSuchKey(keyId);
  const key = await withUsage(record, services);
  return answer(context, 200, {
    data: { ...key, organization_id: organizationId, is_free_tier: false },
  });
}

async function findKey(context: ApiContext, services: ApiServices): Promise<KeyRecord> {
  const hash = readHash(context);
  const record = await services.identity.getKey(context.get('caller').organizationId, hash);
  if (record === null) throw noSuchKey(hash);
  return record;
}

/** What is no id of ours is refused here: it never reaches a query. */
function readHash(context: ApiContext): string {
  const hash = context.req.param('hash') ?? '';
  if (!isId(hash, 'key_')) throw noSuchKey(hash);
  return hash;
}

function noSuchKey(hash: string): GatewayError {
  return notFound('API key', hash, 'hash');
}

async function withUsage(
  record: KeyRecord,
  services: ApiServices,
): Promise<ReturnType<typeof toKeyJson>> {
  return toKeyJson(record, readOrThrow(await services.ledger.keyUsage(record.keyId)));
}

function toKeyJson(record: KeyRecord, usage: UsedAmounts): { readonly [key: string]: MoneyJson } {
  const { limit, kind } = record;
  return {
    hash: record.keyId,
    name: record.name,
    label: record.label,
    type: kind === 'management' ? 'management' : 'inference',
    mode: kind === 'management' ? null : kind,
    disabled: record.disabled,
    limit,
    limit_remaining: limit === null ? null : maxUsd(ZERO_USD, subtractUsd(limit, usage.total)),
    limit_reset: null,
    usage: usage.total,
    usage_daily: usage.daily,
    usage_weekly: usage.weekly,
    usage_monthly: usage.monthly,
    created_at: toIsoTime(record.createdAtMs),
    updated_at: record.updatedAtMs === null ? null : toIsoTime(record.updatedAtMs),
  };
}
