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
  INFERENCE_FIELDS,
  keyChangesForm,
  keyDraftForm,
  keyListForm,
  keyRotationForm,
  OLD_SECRETS_MAX,
  type KeyChangesBody,
  type KeyDraftBody,
} from '#wire/keys.ts';
import { invalidValue, notFound } from '#wire/refusals.ts';
import { parseStrict } from '#wire/strict.ts';
import { toIsoTime, type MoneyJson } from './answer.ts';
import { answer, readOrThrow, refuseMethod, requireManagement, type ApiContext } from './frame.ts';
import { checkKeyFields } from './key-checks.ts';
import type { ApiEnv, ApiServices } from './ports.ts';
import { readForm } from './read-body.ts';

const MS_PER_SECOND = 1000;

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
  app.post('/keys/:hash/rotate', (context) => rotateKey(context, services));
  app.all('/keys/:hash/rotate', refuseMethod('POST'));
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
  checkKeyFields(services, body);
  const { organizationId } = context.get('caller');
  const draft: KeyDraft = {
    ...toPowers(body),
    kind: toKind(body),
    name: body.name,
    organizationId,
    limit: body.limit ?? null,
  };
  const { record, secret } = await services.identity.createKey(draft);
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
  checkKeyFields(services, body);
  const record = await findKey(context, services);
  refuseUnfit(context, record, body);
  const { organizationId, keyId } = record;
  // One statement: what is shown and what is enforced are the same, whatever fails.
  const changed = await services.identity.updateKey(organizationId, keyId, toChanges(body));
  if (changed === null) throw noSuchKey(keyId);
  if (body.limit !== undefined) await services.credit.limitChanged({ keyId, organizationId });
  return answer(context, 200, { data: await withUsage(changed, services) });
}

function toChanges(body: KeyChangesBody): KeyChanges {
  const { name, limit, disabled } = body;
  return {
    ...toPowers(body),
    ...(name === undefined ? {} : { name }),
    ...(limit === undefined ? {} : { limit }),
    ...(disabled === undefined ? {} : { disabled }),
  };
}

type KeyPowers = Pick<KeyChanges, 'expiresAtMs' | 'models' | 'providers' | 'metadata' | 'tags'>;

/** What was sent of the fields that making and changing a key have in common. */
function toPowers(body: KeyDraftBody | KeyChangesBody): KeyPowers {
  const { expires_at: expiresAtMs, models, providers, metadata, tags } = body;
  return {
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    ...(models === undefined ? {} : { models }),
    ...(providers === undefined ? {} : { providers }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(tags === undefined ? {} : { tags }),
  };
}

function refuseUnfit(context: ApiContext, record: KeyRecord, body: KeyChangesBody): void {
  const unfit = INFERENCE_FIELDS.find((field) => (body[field] ?? null) !== null);
  if (record.kind === 'management' && unfit !== undefined) {
    throw invalidValue(unfit, 'a management key never runs inference and has none; leave it out');
  }
  if (body.disabled === true) refuseOwnKey(context, record.keyId, 'disable');
}

async function rotateKey(context: ApiContext, services: ApiServices): Promise<Response> {
  requireManagement(context, 'rotate keys');
  const { overlap_seconds: overlap } = await readForm(context.req.raw, keyRotationForm);
  const record = await findKey(context, services);
  if (overlap > 0 && record.oldSecrets.length >= OLD_SECRETS_MAX) throw refuseOverlap(record);
  const rotated = await services.identity.rotateKey(record, overlap * MS_PER_SECOND);
  if (rotated === null) throw noSuchKey(record.keyId);
  const { record: renewed, secret } = rotated;
  return answer(context, 201, { data: await withUsage(renewed, services), key: secret });
}

function refuseOverlap({ oldSecrets }: KeyRecord): GatewayError {
  const [first] = oldSecrets;
  const end = first === undefined ? 'soon' : `at ${toIsoTime(first.endsAtMs)}`;
  return invalidValue(
    'overlap_seconds',
    `${oldSecrets.length} old secrets of this key still work, and no more may; ` +
      `the first of them ends ${end}. Send 0 to end them all now`,
  );
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
    expires_at: record.expiresAtMs === null ? null : toIsoTime(record.expiresAtMs),
    models: record.models,
    providers: record.providers,
    metadata: record.metadata ?? {},
    tags: record.tags ?? [],
    old_secrets: record.oldSecrets.map(({ label, endsAtMs }) => ({
      label,
      expires_at: toIsoTime(endsAtMs),
    })),
    created_at: toIsoTime(record.createdAtMs),
    updated_at: record.updatedAtMs === null ? null : toIsoTime(record.updatedAtMs),
  };
}
