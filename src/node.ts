/**
 * Entry for Node: one process that listens at once, becomes ready, and drains when it is told to
 * stop.
 */
import type { Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import type { Context } from 'hono';
import { systemClock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import { NodeLog } from '#base/log.node.ts';
import { StartRefused } from '#base/start-refused.ts';
import { createApp, createHotRoutes, createStatusApp, type StatusServices } from '#http/app.ts';
import { readReferenceScript } from '#http/docs/reference-script.node.ts';
import { openNodeExchange } from '#http/exchange.node.ts';
import { Lifecycle } from '#http/lifecycle.ts';
import { createGatewayServer, type GatewayServer, type Served } from '#http/server.node.ts';
import { acquireDataLock, type DataLock } from '#store/data-lock.node.ts';
import { DatabaseUnavailable } from '#store/database.ts';
import { composeDirectory } from './compose-shared.ts';
import { compose, readVersion, untilAborted, type Services } from './compose.ts';
import { readConfig, refuseArguments, type Config } from './config.ts';
import { startScreen } from './start-screen.ts';

const LOOPBACK = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);
const DRAIN_POLL_MS = 50;
/** After the time for draining, what is left to be said by providers whose clients were cut off. */
const LAST_WORDS_MS = 2_000;
/** And after these nobody is waited for any more: what is lost must not keep the rest. */
const GIVE_UP_MS = 15_000;
const REPEATED_SIGNAL_MS = 2_000;

function remoteAddress(context: Context): string {
  const bindings: unknown = context.env;
  if (typeof bindings !== 'object' || bindings === null || !('incoming' in bindings)) return '';
  const { incoming } = bindings;
  if (typeof incoming !== 'object' || incoming === null || !('socket' in incoming)) return '';
  const { socket } = incoming;
  const known = typeof socket === 'object' && socket !== null && 'remoteAddress' in socket;
  return known && typeof socket.remoteAddress === 'string' ? socket.remoteAddress : '';
}

async function listen(config: Config, served: Served, log: Log): Promise<GatewayServer> {
  const listening = createGatewayServer(served, { log, clock: systemClock });
  const { server } = listening;
  server.listen(config.port, config.host);
  await once(server, 'listening').catch((error: unknown) => {
    throw explainListen(error, config);
  });
  return listening;
}

/** Why nothing can listen there, by the system's code. */
const LISTEN_FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there. Stop it, or set PORT to another port',
  EACCES: 'this user may not (ports below 1024 are often reserved). Set PORT to another port',
  EADDRNOTAVAIL: 'this machine has no such address. Set HOST to one that it has, or leave it out',
  ENOTFOUND: 'the name is unknown. Set HOST to an address of this machine, or leave it out',
  EAI_AGAIN: 'the name cannot be looked up. Set HOST to an address of this machine',
  EINVAL: 'it is no address to listen on. Set HOST to one of this machine, or leave it out',
};

function explainListen(error: unknown, { host, port }: Config): unknown {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : null;
  const reason = typeof code === 'string' ? LISTEN_FAULTS[code] : undefined;
  if (reason === undefined) return error;
  return new StartRefused(`OmniX cannot listen on ${host}, port ${port}: ${reason}.`, {
    cause: error,
  });
}

function urlOf(server: Server, config: Config): string {
  const address: AddressInfo | string | null = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : config.port;
  const host = config.host === '0.0.0.0' || config.host === '::' ? 'localhost' : config.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

interface Running extends GatewayServer {
  readonly config: Config;
  readonly served: Served;
  readonly lifecycle: Lifecycle;
  readonly services: Services;
  readonly lock: DataLock;
  readonly log: NodeLog;
}

/**
 * No new requests, running ones finish within the time given, everything is posted, the process
 * ends.
 */
async function drain(running: Running): Promise<void> {
  const { config, server, lane, served, lifecycle, services, lock, log } = running;
  log.write('info', 'draining', { count: lifecycle.running });
  // The router answers from now on, and refuses.
  served.hot = new Map();
  lifecycle.become({ kind: 'draining' });
  const closed = once(server, 'close');
  server.close();
  lane.drain();
  const sweep = setInterval(() => server.closeIdleConnections(), DRAIN_POLL_MS);
  let hurry: NodeJS.Timeout | undefined;
  let end: NodeJS.Timeout | undefined;
  const givenUp = Promise.withResolvers<void>();
  const tooLate = setTimeout(() => {
    log.write('warn', 'drain_timeout', { count: lifecycle.running });
    server.closeAllConnections();
    lane.closeAll();
    // A provider that bills on tells what it used, if it does so at once; else it is counted here.
    hurry = setInterval(() => services.gateway.deadlines.expireAll(), LAST_WORDS_MS);
    end = setTimeout(() => givenUp.resolve(), GIVE_UP_MS);
  }, config.drainMs);
  await Promise.race([lifecycle.idle(), givenUp.promise]);
  clearInterval(hurry);
  clearTimeout(end);
  if (lifecycle.running > 0) log.write('error', 'drain_given_up', { count: lifecycle.running });
  server.closeIdleConnections();
  await closed;
  clearInterval(sweep);
  clearTimeout(tooLate);
  await services.close();
  await lock.release();
  log.write('info', 'stopped');
  log.flush();
}

/** Told to stop before it was ready: no failure. */
class StoppedWhileStarting extends Error {
  override readonly name = 'StoppedWhileStarting';
}

/**
 * Aborted when the process is told to stop. A signal to the process group arrives twice, once
 * through the bootstrap: the second one within a moment is the same wish. One that comes later is
 * impatience and ends the process at once.
 */
function listenForStop(): AbortSignal {
  const controller = new AbortController();
  let firstMs: number | null = null;
  const stop = (): void => {
    const now = systemClock.monotonicMs();
    if (firstMs !== null && now - firstMs > REPEATED_SIGNAL_MS) process.exit(1);
    firstMs ??= now;
    controller.abort(new StoppedWhileStarting());
  };
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, stop);
  return controller.signal;
}

async function untilStopped(stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stopped.aborted) resolve();
    else stopped.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function takeDataDirectory({ dataDir }: Config, stopped: AbortSignal): Promise<DataLock> {
  const lock = acquireDataLock(dataDir, {
    onWait: (owner) => {
      process.stderr.write(`Waiting for ${owner} to leave ${dataDir} ...\n`);
    },
  });
  return untilAborted(stopped, lock);
}

/**
 * How much the old objects grow between two collections of all of them. While little is asked, V8
 * lets them grow by a tenth, which is 3 MB here: it would collect every second, and spend a fifth
 * of the process on it.
 */
const HEAP_GROWING_PERCENT = 100;

async function start(): Promise<void> {
  refuseArguments(process.argv.slice(2));
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`);
  const startedMs = systemClock.monotonicMs();
  const stopped = listenForStop();
  const config = readConfig(process.env);
  const directory = composeDirectory(config);
  const version = readVersion();
  const log = new NodeLog({ level: config.logLevel, clock: systemClock, output: process.stderr });
  const lock = await takeDataDirectory(config, stopped);
  const lifecycle = new Lifecycle();
  const status: StatusServices = {
    lifecycle,
    log,
    version,
    referenceScript: readReferenceScript,
    pidFor: (context) => (LOOPBACK.has(remoteAddress(context)) ? process.pid : null),
  };
  const served: Served = { fetch: createStatusApp(status).fetch, hot: new Map() };
  const listening = await listen(config, served, log);
  const services = await compose(config, directory, {
    log,
    signal: stopped,
    onStep: (reason) => lifecycle.become({ kind: 'starting', reason }),
    onLack: (what) => lifecycle.lacks(what),
  });
  const { gateway, identity, reads, credit, owner } = services;
  const routes = { lifecycle, log, gateway, clock: systemClock };
  served.fetch = createApp({
    ...status,
    ...routes,
    identity,
    reads,
    credit,
    openExchange: openNodeExchange,
  }).fetch;
  served.hot = createHotRoutes(routes);
  const startMs = systemClock.monotonicMs() - startedMs;
  const url = urlOf(listening.server, config);
  process.stdout.write(startScreen({ config, directory, owner, version, url, startMs }));
  lifecycle.become({ kind: 'ready' });
  await untilStopped(stopped);
  await drain({ ...listening, config, served, lifecycle, services, lock, log });
}

/**
 * What speaks to the operator is told as it is, and what the system refused in the system's words;
 * anything else is our mistake and told with where it comes from.
 */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const ofSystem = typeof Reflect.get(error, 'syscall') === 'string';
  const forOperator =
    error instanceof StartRefused || error instanceof DatabaseUnavailable || ofSystem;
  return forOperator ? error.message : (error.stack ?? error.message);
}

start().then(
  () => process.exit(0),
  (error: unknown) => {
    if (error instanceof StoppedWhileStarting) {
      process.stderr.write('OmniX was told to stop before it was ready.\n');
      process.exit(0);
    }
    process.stderr.write(`OmniX cannot start.\n${explain(error)}\n`);
    process.exit(1);
  },
);
