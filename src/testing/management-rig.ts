/** The management routes over keys and books kept in memory, called as a caller calls them. */
import { createManagementApp } from '#http/api/management.ts';
import type { CreditDesk, GrantDraft, KeyDirectory, LedgerReads } from '#http/api/ports.ts';
import { newId } from '#base/ids.ts';
import { silentLog } from '#base/log.ts';
import { nanoUsd, ZERO_USD } from '#base/money.ts';
import { err, ok, type Result } from '#base/result.ts';
import { buildCatalog } from '#catalog/catalog.ts';
import { buildDirectory } from '#gateway/directory.ts';
import type { Caller, KeyRecord } from '#identity/identity.ts';
import type { KeyUsage, LedgerUnavailable, Receipt } from '#ledger/ledger.ts';
import { DatabaseUnavailable } from '#store/database.ts';
import { GatewayError } from '#wire/errors.ts';

export const NOW_MS = Date.UTC(2026, 10, 20);
export const ORGANIZATION = 'org_ours';
export const FOREIGN = 'org_theirs';
const NO_POWERS = {
  expiresAtMs: null,
  models: null,
  providers: null,
  metadata: null,
  tags: null,
} as const;
const NOTHING_USED = { total: ZERO_USD, daily: ZERO_USD, weekly: ZERO_USD, monthly: ZERO_USD };

const catalog = buildCatalog();
if (!catalog.ok) throw new Error('the built-in catalog is broken');
const { directory } = buildDirectory({ catalog: catalog.value, providers: [], models: [] });

function createKeys() {
  const records = new Map<string, KeyRecord>();
  const mine = (organizationId: string, keyId: string): KeyRecord | null => {
    const record = records.get(keyId);
    return record?.organizationId === organizationId ? record : null;
  };
  const identity: KeyDirectory = {
    createKey: (draft) => {
      const keyId = newId('key_');
      const secret = `sk-omx-${draft.kind}-${keyId}`;
      const record: KeyRecord = {
        ...NO_POWERS,
        ...draft,
        keyId,
        label: `${secret.slice(0, 16)}...`,
        disabled: false,
        oldSecrets: [],
        createdAtMs: NOW_MS,
        updatedAtMs: null,
      };
      records.set(keyId, record);
      return Promise.resolve({ record, secret });
    },
    getKey: (organizationId, keyId) => Promise.resolve(mine(organizationId, keyId)),
    listKeys: (organizationId, { limit, offset }) =>
      Promise.resolve(
        [...records.values()]
          .filter((record) => record.organizationId === organizationId)
          .toReversed()
          .slice(offset, offset + limit),
      ),
    updateKey: (organizationId, keyId, changes) => {
      const record = mine(organizationId, keyId);
      if (record === null) return Promise.resolve(null);
      const changed = { ...record, ...changes, updatedAtMs: NOW_MS };
      records.set(keyId, changed);
      return Promise.resolve(changed);
    },
    rotateKey: ({ organizationId, keyId }, overlapMs) => {
      const record = mine(organizationId, keyId);
      if (record === null) return Promise.resolve(null);
      const secret = `sk-omx-${record.kind}-${newId('key_')}`;
      const old = { label: record.label, endsAtMs: NOW_MS + overlapMs };
      const renewed = {
        ...record,
        label: `${secret.slice(0, 20)}...`,
        oldSecrets: overlapMs === 0 ? [] : [...record.oldSecrets, old],
      };
      records.set(keyId, renewed);
      return Promise.resolve({ record: renewed, secret });
    },
    deleteKey: (organizationId, keyId) =>
      Promise.resolve(mine(organizationId, keyId) !== null && records.delete(keyId)),
  };
  return { identity, records };
}

function createBooks() {
  const grants: GrantDraft[] = [];
  const limitsChanged: string[] = [];
  const usage = new Map<string, Omit<KeyUsage, 'limit'>>();
  const receipts = new Map<string, Receipt>();
  const outage = { now: false };
  const readable = <Value>(value: Value): Promise<Result<Value, LedgerUnavailable>> =>
    Promise.resolve(
      outage.now ? err({ reason: 'unavailable', cause: 'db.internal:5432' }) : ok(value),
    );
  const writable = <Value>(value: Value): Promise<Value> =>
    outage.now ? Promise.reject(new DatabaseUnavailable('db.internal')) : Promise.resolve(value);
  const credit: CreditDesk = {
    grant: (draft) => {
      grants.push(draft);
      return writable({ id: newId('grant_'), createdAtMs: NOW_MS });
    },
    limitChanged: ({ keyId }) => {
      limitsChanged.push(keyId);
      return writable(undefined);
    },
  };
  const ledger: LedgerReads = {
    creditSummary: (_organizationId, book) =>
      readable({
        totalCredits: nanoUsd(book === 'live' ? 10_000_000_001n : 7n),
        totalUsage: nanoUsd(1_000_000_000n),
        held: ZERO_USD,
        available: nanoUsd(9_000_000_001n),
      }),
    keyUsage: (keyId) => readable({ limit: null, ...(usage.get(keyId) ?? NOTHING_USED) }),
    readReceipt: (organizationId, requestId) =>
      readable(organizationId === ORGANIZATION ? (receipts.get(requestId) ?? null) : null),
  };
  return { credit, ledger, grants, limitsChanged, usage, receipts, outage };
}

function createHouse() {
  const keys = createKeys();
  const books = createBooks();
  const callers = new Map<string, Caller>();
  const app = createManagementApp({
    identity: keys.identity,
    ledger: books.ledger,
    credit: books.credit,
    directory,
    // What is kept is kept in a database: `idempotency.test.ts` has one.
    idempotency: { begin: () => Promise.reject(new DatabaseUnavailable('none in this rig')) },
    clock: { nowMs: () => NOW_MS },
    log: silentLog,
    authenticate: (context) => {
      const caller = callers.get(context.req.header('authorization') ?? '');
      return caller === undefined
        ? Promise.reject(new GatewayError('invalid_api_key'))
        : Promise.resolve(caller);
    },
  });
  const addCaller = async (
    kind: Caller['kind'],
    organizationId = ORGANIZATION,
  ): Promise<Caller> => {
    const draft = { kind, name: kind, organizationId, limit: null };
    const { record } = await keys.identity.createKey(draft);
    callers.set(`${kind} ${organizationId}`, record);
    return record;
  };
  const call = async (path: string, init: CallInit = {}) => {
    const as = init.as ?? 'management';
    const response = await app.request(path, {
      method: init.method ?? (init.body === undefined ? 'GET' : 'POST'),
      headers: {
        authorization: `${as} ${init.organization ?? ORGANIZATION}`,
        ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...init.headers,
      },
      ...(init.body === undefined ? {} : { body: init.body }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: readJson(text) };
  };
  return { ...keys, ...books, app, addCaller, call };
}

export interface CallInit {
  readonly as?: Caller['kind'];
  readonly organization?: string;
  readonly method?: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export async function startHouse() {
  const house = createHouse();
  const owner = await house.addCaller('management');
  const live = await house.addCaller('live');
  await house.addCaller('test');
  return { ...house, owner, live };
}
