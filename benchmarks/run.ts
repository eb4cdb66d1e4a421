/**
 * `npm run bench`: starts the rig, measures section by section, prints the table, and leaves no
 * process behind. `--quick` for a first look, `--save` to keep the report, `--only=json,start` for
 * some sections.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import type { Children } from './children.ts';
import { createChildren, pin, waitForPort } from './children.ts';
import { warmUpAll } from './cpu-rounds.ts';
import { startLoad } from './load-client.ts';
import type { Layout } from './machine.ts';
import { describeMachine, divideCores, layoutsOf } from './machine.ts';
import { hasOmnix, startOmnix } from './omnix.ts';
import type { Omnix } from './omnix.ts';
import type { Row } from './ratios.ts';
import { toMarkdown } from './report.ts';
import {
  measureInstantStream,
  measureJson,
  measurePacedStream,
  measureSizes,
  measureTranslated,
} from './section-cpu.ts';
import { measureAddedLatency, measureLargeBodies } from './section-latency.ts';
import { measureMemory, measureOpenStreams, measureStart } from './section-life.ts';
import type { Context, Fact, Scale, Section } from './section.ts';
import type { RigOptions, Subject } from './subjects.ts';
import {
  HERE,
  START_TIMEOUT_MS,
  startBareProxy,
  startPortkey,
  startTransportOnly,
} from './subjects.ts';

const FULL: Scale = {
  jsonRounds: 12,
  streamRounds: 6,
  otherRounds: 3,
  largeRounds: 5,
  latencyRounds: 9,
  sliceMs: 700,
  firstWarmUpMs: 8000,
  warmUpMs: 1500,
  inTurnRequests: 1000,
  largeBodiesMs: 4000,
  openStreams: 2000,
  sizes: true,
};

const QUICK: Scale = {
  jsonRounds: 5,
  streamRounds: 2,
  otherRounds: 1,
  largeRounds: 1,
  latencyRounds: 3,
  sliceMs: 600,
  firstWarmUpMs: 5000,
  warmUpMs: 700,
  inTurnRequests: 1000,
  largeBodiesMs: 4000,
  openStreams: 2000,
  sizes: false,
};

/** In this order: memory is read before the gateway is stopped for the last section. */
const SECTIONS = {
  json: measureJson,
  stream: measureInstantStream,
  paced: measurePacedStream,
  latency: measureAddedLatency,
  large: measureLargeBodies,
  open: measureOpenStreams,
  translated: measureTranslated,
  sizes: measureSizes,
  memory: measureMemory,
  start: measureStart,
} as const satisfies Record<string, Section>;

/** Measured in every layout. */
const CORE_SECTIONS: readonly string[] = ['json', 'stream', 'paced', 'latency'];

const DEADLINE_MS = 25 * 60_000;

function say(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}

/** What cannot be started is said in the report; the rest is measured all the same. */
async function attempt<T>(name: string, remarks: string[], start: () => Promise<T>) {
  try {
    say(`starting ${name}`);
    return await start();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    say(`${name} was not started: ${why}`);
    remarks.push(`${name}: ${why}`);
    return null;
  }
}

interface Rig {
  readonly context: Context;
  readonly remarks: readonly string[];
}

async function startGateway(rig: RigOptions): Promise<Omnix> {
  if (!hasOmnix()) throw new Error('there is no src/node.ts yet');
  return startOmnix(rig);
}

async function startRig(children: Children, { cores }: Layout, scale: Scale): Promise<Rig> {
  const remarks: string[] = [];
  const mock = children.start({
    name: 'mock upstream',
    args: [fileURLToPath(import.meta.resolve('./mock-upstream.ts'))],
    cpus: cores.rest,
    channel: true,
  });
  const mockPort = await waitForPort(mock, START_TIMEOUT_MS);
  const load = await startLoad(children, cores.rest);
  const rig: RigOptions = { children, cores, mockPort };
  const omnix = await attempt('omnix', remarks, () => startGateway(rig));
  const started: (Subject | null)[] = [
    omnix?.subject ?? null,
    await attempt('the bare proxy', remarks, () => startBareProxy(rig)),
    await attempt('transport only', remarks, () => startTransportOnly(rig)),
    await attempt('Portkey', remarks, () => startPortkey(rig)),
  ];
  const subjects = started.filter((subject) => subject !== null);
  return { context: { load, mockPort, scale, subjects, omnix, say }, remarks };
}

interface Findings {
  readonly rows: Row[];
  readonly facts: Fact[];
  readonly remarks: string[];
}

function isAsked(name: string, layout: Layout, only: readonly string[]): boolean {
  return (
    (only.length === 0 || only.includes(name)) && (layout.whole || CORE_SECTIONS.includes(name))
  );
}

/** A section that fails is reported as such and does not take the others with it. */
async function runSections(
  context: Context,
  layout: Layout,
  only: readonly string[],
): Promise<Findings> {
  const findings: Findings = { rows: [], facts: [], remarks: [] };
  for (const [name, section] of Object.entries(SECTIONS)) {
    if (!isAsked(name, layout, only)) continue;
    say(`section ${name}, ${layout.name}`);
    const result = await attempt(name, findings.remarks, () => section(context));
    const placed = CORE_SECTIONS.includes(name) ? `${layout.name}: ` : '';
    const rows = result?.rows ?? [];
    const facts = result?.facts ?? [];
    findings.rows.push(...rows.map((row) => ({ ...row, figure: placed + row.figure })));
    findings.facts.push(...facts.map((fact) => ({ ...fact, figure: placed + fact.figure })));
  }
  return findings;
}

interface Choice {
  readonly quick: boolean;
  readonly save: boolean;
  readonly only: readonly string[];
}

function parseChoice(): Choice {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
    },
  });
  const only = values.only.split(',').filter((name) => name !== '');
  const unknown = only.find((name) => !Object.hasOwn(SECTIONS, name));
  if (unknown !== undefined) {
    throw new Error(`no section ${unknown}; there are ${Object.keys(SECTIONS).join(', ')}`);
  }
  return { quick: values.quick, save: values.save, only };
}

function save(markdown: string, startedAt: string): void {
  const directory = join(HERE, 'results');
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${startedAt.slice(0, 10)}.md`);
  writeFileSync(file, markdown);
  say(`saved as ${file}`);
}

async function measure(children: Children, layout: Layout, choice: Choice): Promise<Findings> {
  const { rest } = layout.cores;
  if (rest !== null) pin(process.pid, rest);
  const rig = await startRig(children, layout, choice.quick ? QUICK : FULL);
  await warmUpAll(rig.context);
  const findings = await runSections(rig.context, layout, choice.only);
  await Promise.all(rig.context.subjects.map((subject) => subject.stop()));
  await children.killAll();
  return { ...findings, remarks: [...rig.remarks, ...findings.remarks] };
}

async function bench(children: Children, choice: Choice): Promise<void> {
  const startedAt = new Date().toISOString();
  const begunAt = performance.now();
  const machine = describeMachine();
  const all: Findings[] = [];
  for (const layout of layoutsOf(divideCores())) {
    if (Object.keys(SECTIONS).some((name) => isAsked(name, layout, choice.only))) {
      all.push(await measure(children, layout, choice));
    }
  }
  const markdown = toMarkdown({
    machine,
    startedAt,
    quick: choice.quick,
    rows: all.flatMap(({ rows }) => rows),
    facts: all.flatMap(({ facts }) => facts),
    remarks: all.flatMap(({ remarks }) => remarks),
    seconds: (performance.now() - begunAt) / 1000,
  });
  process.stdout.write(`${markdown}\n`);
  if (choice.save) save(markdown, startedAt);
}

async function main(): Promise<void> {
  if (process.platform !== 'linux') throw new Error('CPU time is read from /proc: Linux only');
  const choice = parseChoice();
  const children = createChildren();
  const abandon = (why: string) => {
    say(why);
    void children.killAll().then(() => process.exit(1));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => abandon(`stopped by ${signal}`));
  }
  setTimeout(() => abandon('stopped: it took too long'), DEADLINE_MS).unref();
  try {
    await bench(children, choice);
  } finally {
    await children.killAll();
  }
}

try {
  await main();
  process.exit(0);
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
