/**
 * The whole gateway for a test: the real app, identity, ledger and journal over a database of its
 * own, with upstreams that are faked on a real socket. Configured as an operator would, through the
 * real reader of the config file.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Hono } from 'hono';
import OpenAI from 'openai';
import { systemClock, type Clock } from '#base/clock.ts';
import { Deadlines } from '#base/deadlines.ts';
import { nodeDigests } from '#base/digest.node.ts';
import { newId } from '#base/ids.ts';
import type { Log, LogFields, LogLevel } from '#base/log.ts';
import { parseUsd, type NanoUsd } from '#base/money.ts';
import { ok } from '#base/result.ts';
import { NodeTransport } from '#base/transport.node.ts';
import type { Transport } from '#base/transport.ts';
import {
  DEFAULT_GATEWAY_LIMITS,
  type GatewayLimits,
  type GatewayServices,
} from '#gateway/dependencies.ts';
import { Idempotency } from '#gateway/idempotency/idempotency.ts';
import { showReceipt } from '#gateway/receipt-reading.ts';
import { SandboxTransport } from '#gateway/sandbox/transport.ts';
import { loadEncodingModule } from '#gateway/tokens-module.ts';
import { createTokenCounter } from '#gateway/tokens.ts';
import { TokenExchange } from '#gateway/upstream/token-exchange.ts';
import { composeDirectory } from '#compose-shared.ts';
import { createApp, createHotRoutes } from '#http/app.ts';
import type { CreditDesk, LedgerReads } from '#http/api/ports.ts';
import { readReferenceScript } from '#http/docs/reference-script.node.ts';
import { openNodeExchange } from '#http/exchange.node.ts';
import { Lifecycle } from '#http/lifecycle.ts';
import { createIdentity } from '#identity/create-identity.ts';
import type { Identity } from '#identity/identity.ts';
import { createLedger } from '#ledger/create-ledger.ts';
import { nodeJournalFiles } from '#ledger/journal-files.node.ts';
import { openFileJournal } from '#ledger/journal.node.ts';
import type { Book, PrepaidLedger } from '#ledger/ledger.ts';
import { nodeSchedule } from '#ledger/schedule.node.ts';
import type { Database } from '#store/database.ts';
import { grantCredit } from '#store/ledger-grants.ts';
import { goodReply, modeOf } from './fake-upstream-replies.ts';
import { startFakeUpstream, type Answerer, type FakeUpstream } from './fake-upstream.ts';
import { FaultyDatabase, FaultyFiles } from './ledger-rig.ts';
import { createTestDatabase } from './postgres.ts';
import { at, objectOf, type JsonObject } from './recordings-json.ts';
import { listenOnPort, type ListeningPort } from './test-gateway-port.ts';
import { TEST_HOSTS, readTestConfig, type TestConfigOptions } from './test-gateway-config.ts';

export { TEST_PRICE } from './test-gateway-config.ts';

export interface TestGatewayOptions extends TestConfigOptions {
  /** Dollars on the live account at the start. Default 1000; the sandbox has as much. */
  readonly creditUsd?: string;
  /** Instead of sockets: the way to upstreams that are not the sandbox. */
  readonly transport?: Transport;
  readonly limits?: Partial<GatewayLimits>;
  /** Of requests and deadlines; the ledger always runs by the real one. */
  readonly clock?: Clock;
}

export interface LogEntry {
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: LogFields;
}

export interface ChatBody extends JsonObject {
  readonly model: string;
}

export interface TestGateway {
  readonly app: Hono;
  readonly fake: FakeUpstream;
  /** The official client with the live key; never retries by itself. */
  readonly client: OpenAI;
  readonly keys: { readonly live: string; readonly test: string; readonly management: string };
  readonly organizationId: string;
  readonly services: GatewayServices;
  readonly identity: Identity;
  readonly ledger: PrepaidLedger;
  readonly lifecycle: Lifecycle;
  /** Can be told to fail. */
  readonly database: FaultyDatabase;
  readonly journalFiles: FaultyFiles;
  readonly log: readonly LogEntry[];
  /** An official client with another key, or with one in another header. */
  clientWith(key: string): OpenAI;
  /** POST /v1/chat/completions with the live key, without a socket. */
  chat(body: ChatBody, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** POST with the live key, without a socket. */
  post(
    path: string,
    body: JsonObject,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Response>;
  get(path: string, key?: string): Promise<Response>;
  grant(usd: string, book?: Book): Promise<void>;
  createKey(draft?: {
    readonly kind?: 'live' | 'test';
    readonly limitUsd?: string;
  }): Promise<string>;
  /** `data` of GET /v1/generation. */
  receipt(id: string | null): Promise<JsonObject>;
  /** `data` of GET /v1/credits, dollars, in exact text. */
  credits(): Promise<JsonObject>;
  /** A real server on a port of 127.0.0.1, on the raw path that Node takes. */
  listen(): Promise<ListeningPort>;
  /** Waits until nothing runs. Throws if a hold was left behind: call it after every test. */
  untilSettled(): Promise<void>;
  close(): Promise<void>;
}

const SECRET = 'a master secret of the tests';
const OWNER_ID = 'owner_test';
/** Hosts answer well until a test says otherwise. */
export const answerWell: Answerer = (request) => goodReply(modeOf(request.body));

const CREDIT_USD = '1000';
const SETTLED_WITHIN_MS = 10_000;
const CONNECT_TIMEOUT_MS = 2_000;

function toNano(usd: string): NanoUsd {
  const parsed = parseUsd(usd);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

/** Everything that is closed again, the last one first. */
class Closers {
  readonly #steps: (() => Promise<unknown>)[] = [];

  add(step: () => unknown): void {
    this.#steps.push(async () => step());
  }

  async run(): Promise<void> {
    for (const step of this.#steps.toReversed()) await step();
    this.#steps.length = 0;
  }
}

class MemoryLog implements Log {
  readonly entries: LogEntry[] = [];

  write(level: LogLevel, event: string, fields: LogFields = {}): void {
    this.entries.push({ level, event, fields });
  }
}

async function startLedger(
  directory: string,
  database: Database,
  log: Log,
): Promise<{ readonly ledger: PrepaidLedger; readonly files: FaultyFiles }> {
  const files = new FaultyFiles(nodeJournalFiles(join(directory, 'journal')));
  const ledger = createLedger({
    database,
    journal: openFileJournal({ files, log }),
    clock: systemClock,
    log,
    schedule: nodeSchedule,
    ownerId: OWNER_ID,
  });
  const recovered = await ledger.recover();
  if (!recovered.ok) throw new Error(recovered.error.cause);
  return { ledger, files };
}

function readsOf(ledger: PrepaidLedger): LedgerReads {
  return {
    creditSummary: (organizationId, book) => ledger.creditSummary(organizationId, book),
    keyUsage: (keyId) => ledger.keyUsage(keyId),
    readReceipt: async (organizationId, requestId) => {
      const read = await ledger.readReceipt(organizationId, requestId);
      if (!read.ok || read.value === null || read.value.kind === 'swept') return read;
      return ok({ ...read.value, detail: showReceipt(read.value.detail) });
    },
  };
}

function creditDesk(database: Database, ledger: PrepaidLedger): CreditDesk {
  return {
    grant: async ({ organizationId, book, amount, reason }) => {
      const id = newId('grant_');
      const from = { fundedBy: 'promo', source: 'test', sourceId: id } as const;
      await grantCredit(database, { id, organizationId, book, amount, reason, ...from });
      return { id, createdAtMs: systemClock.nowMs() };
    },
    limitChanged: ({ keyId }) => ledger.budgetChanged(keyId),
  };
}

function clientFor(app: Hono, key: string): OpenAI {
  return new OpenAI({
    apiKey: key,
    baseURL: 'http://omnix.test/v1',
    maxRetries: 0,
    fetch: async (url, init) => app.request(url instanceof URL ? url.href : url, init),
  });
}

interface Running {
  readonly app: Hono;
  readonly ledger: PrepaidLedger;
  readonly lifecycle: Lifecycle;
  readonly organizationId: string;
}

async function untilSettled({ ledger, lifecycle, organizationId }: Running): Promise<void> {
  const late = new AbortController();
  const tooLate = delay(SETTLED_WITHIN_MS, 'late', { signal: late.signal }).catch(() => 'early');
  const first = await Promise.race([lifecycle.idle(), tooLate]);
  late.abort();
  if (first === 'late') throw new Error(`${lifecycle.running} requests still run`);
  for (const book of ['live', 'test'] as const) {
    const { held } = ledger.snapshot(organizationId, book);
    if (held !== 0n) throw new Error(`${held} nano-dollars are still held in the ${book} book`);
  }
}

async function readData(app: Hono, path: string, key: string): Promise<JsonObject> {
  const response = await app.request(path, { headers: { authorization: `Bearer ${key}` } });
  const body: unknown = await response.json();
  if (response.status !== 200) throw new Error(`${path}: ${JSON.stringify(body)}`);
  return objectOf(at(body, 'data'));
}

interface Base {
  readonly directory: string;
  readonly fake: FakeUpstream;
  readonly database: FaultyDatabase;
  readonly log: MemoryLog;
  readonly ledger: PrepaidLedger;
  readonly journalFiles: FaultyFiles;
  readonly identity: Identity;
  readonly credit: CreditDesk;
}

async function startBase(closers: Closers): Promise<Base> {
  const directory = mkdtempSync(join(tmpdir(), 'omnix-gateway-'));
  closers.add(() => rmSync(directory, { recursive: true, force: true }));
  const fake = await startFakeUpstream();
  closers.add(() => fake.close());
  for (const name of TEST_HOSTS) fake.on(`/${name}`, answerWell);
  const test = await createTestDatabase();
  closers.add(() => test.drop());
  const database = new FaultyDatabase(test.database);
  const log = new MemoryLog();
  const { ledger, files: journalFiles } = await startLedger(directory, database, log);
  closers.add(() => ledger.close());
  const identity = createIdentity({ database, digests: nodeDigests, secret: SECRET });
  const credit = creditDesk(database, ledger);
  return { directory, fake, database, log, ledger, journalFiles, identity, credit };
}

function createServices(
  base: Base,
  options: TestGatewayOptions,
  closers: Closers,
): GatewayServices {
  const { directory, fake, identity, ledger } = base;
  const config = readTestConfig(directory, fake.origin, options);
  const sockets = new NodeTransport({ connectTimeoutMs: CONNECT_TIMEOUT_MS, connectionsMax: 512 });
  closers.add(() => sockets.close());
  const clock = options.clock ?? systemClock;
  const deadlines = new Deadlines(clock);
  const tokens = createTokenCounter(loadEncodingModule);
  const transport = options.transport ?? sockets;
  return {
    identity,
    ledger,
    idempotency: new Idempotency({
      database: base.database,
      secret: SECRET,
      ownerId: OWNER_ID,
      clock,
      deadlines,
      log: base.log,
    }),
    directory: composeDirectory(config),
    transport,
    sandboxTransport: new SandboxTransport({ tokens, clock }),
    tokenExchange: new TokenExchange(transport, deadlines),
    deadlines,
    tokens,
    limits: { ...DEFAULT_GATEWAY_LIMITS, ...options.limits },
  };
}

/** What a test may do as the owner. */
function ownerOf(base: Base, organizationId: string): Pick<TestGateway, 'grant' | 'createKey'> {
  const { credit, identity } = base;
  return {
    grant: async (usd, book = 'live') => {
      const grant = { organizationId, book, reason: 'test', grantedBy: 'key_test' };
      await credit.grant({ ...grant, amount: toNano(usd) });
    },
    createKey: async ({ kind = 'live', limitUsd } = {}) => {
      const limit = limitUsd === undefined ? null : toNano(limitUsd);
      const draft = { kind, name: kind, organizationId, limit };
      const { secret } = await identity.createKey(draft);
      return secret;
    },
  };
}

/** What a test may ask with the live key. */
function asksOf(
  app: Hono,
  live: string,
): Pick<TestGateway, 'chat' | 'post' | 'get' | 'receipt' | 'credits' | 'client' | 'clientWith'> {
  const bearer = (key: string): { authorization: string } => ({ authorization: `Bearer ${key}` });
  const post: TestGateway['post'] = async (path, body, headers = {}) =>
    app.request(path, {
      method: 'POST',
      headers: { ...bearer(live), 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  return {
    client: clientFor(app, live),
    clientWith: (key) => clientFor(app, key),
    post,
    chat: async (body, headers) => {
      const messages = [{ role: 'user', content: 'Say hello.' }];
      return post('/v1/chat/completions', { messages, ...body }, headers);
    },
    get: async (path, key = live) => app.request(path, { headers: bearer(key) }),
    receipt: (id) => readData(app, `/v1/generation?id=${id ?? ''}`, live),
    credits: () => readData(app, '/v1/credits', live),
  };
}

/** Starts everything. Some 100 ms; `close` it in the end. */
export async function createTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const closers = new Closers();
  const base = await startBase(closers);
  const { fake, database, log, ledger, journalFiles, identity, credit } = base;
  const { organizationId, created } = await identity.ensureOwner({});
  const services = createServices(base, options, closers);
  const lifecycle = new Lifecycle();
  lifecycle.become({ kind: 'ready' });
  const clock = options.clock ?? systemClock;
  const routes = { gateway: services, lifecycle, clock, log };
  const app = createApp({
    ...routes,
    identity,
    credit,
    reads: readsOf(ledger),
    version: '0-test',
    pidFor: () => null,
    referenceScript: readReferenceScript,
    openExchange: openNodeExchange,
  });
  const owner = ownerOf(base, organizationId);
  const { creditUsd = CREDIT_USD } = options;
  if (toNano(creditUsd) > 0n) await owner.grant(creditUsd);
  await owner.grant(CREDIT_USD, 'test');
  const live = await owner.createKey();
  const { managementKey: management = '', testKey: test = '' } = created ?? {};
  const running: Running = { app, ledger, lifecycle, organizationId };
  return {
    ...running,
    ...owner,
    ...asksOf(app, live),
    fake,
    services,
    identity,
    database,
    journalFiles,
    keys: { live, test, management },
    log: log.entries,
    listen: () => {
      const served = { fetch: app.fetch, hot: createHotRoutes(routes) };
      return listenOnPort({ served, log, clock }, closers);
    },
    untilSettled: () => untilSettled(running),
    close: async () => {
      try {
        await untilSettled(running);
      } finally {
        await closers.run();
      }
    },
  };
}
