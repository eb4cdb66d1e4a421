/**
 * What the SDK costs beside the official client: CPU time of this process for a stream of 1,000
 * chunks, from a server that is a process of its own. The clients take turns, in rounds, and what
 * is reported is the median of the ratios within each round.
 *
 *     node scripts/bootstrap.mjs benchmarks/sdk.ts [rounds]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import OpenAI from 'openai';
import { z } from 'zod';
import { OmniX } from '../sdk/typescript/src/index.ts';

const CHUNKS = 1_000;
/** Events that share a write, as they do from a fast provider; 1 is the other extreme. */
const EVENTS_PER_WRITE = [1, 20] as const;
const STREAMS_PER_TURN = 20;
const WARM_UP_TURNS = 5;
const ROUNDS = 30;
const KEY = 'sk-omx-test-benchmark';
const portSchema = z.object({ port: z.number() });

interface Subject {
  readonly name: string;
  /** Reads one stream and counts its chunks. */
  readonly read: () => Promise<number>;
}

function toEvent(delta: object, more: object = {}): string {
  const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_795_231_884 };
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: null }];
  return `data: ${JSON.stringify({ ...head, model: 'm', choices, ...more })}\n\n`;
}

/** The whole stream in writes. */
function toWrites(perWrite: number): readonly string[] {
  const usage = { prompt_tokens: 9, completion_tokens: CHUNKS, total_tokens: CHUNKS + 9, cost: 1 };
  const pieces = Array.from({ length: CHUNKS - 1 }, (_, at) => toEvent({ content: ` word${at}` }));
  const events = [...pieces, toEvent({}, { choices: [], usage }), 'data: [DONE]\n\n'];
  const writes: string[] = [];
  for (let at = 0; at < events.length; at += perWrite) {
    writes.push(events.slice(at, at + perWrite).join(''));
  }
  return writes;
}

/** In the process of the server: the path says how many events share a write. */
async function serve(): Promise<void> {
  const scripts = new Map(EVENTS_PER_WRITE.map((count) => [String(count), toWrites(count)]));
  const server = createServer((incoming, outgoing) => {
    incoming.resume();
    incoming.once('end', () => {
      const writes = scripts.get(incoming.url?.split('/')[1] ?? '') ?? [];
      outgoing.writeHead(200, { 'content-type': 'text/event-stream' });
      const next = (at: number): void => {
        const text = writes[at];
        if (text === undefined) outgoing.end();
        else outgoing.write(text, () => next(at + 1));
      };
      next(0);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : 0 });
  process.once('disconnect', () => process.exit());
}

function subjectsAt(baseURL: string): readonly Subject[] {
  const body = {
    model: 'm',
    messages: [{ role: 'user' as const, content: 'Count.' }],
    stream: true as const,
  };
  const official = new OpenAI({ apiKey: KEY, baseURL, maxRetries: 0 });
  const ours = new OmniX({ apiKey: KEY, baseURL, maxRetries: 0 });
  const count = async (stream: AsyncIterable<unknown>): Promise<number> => {
    let chunks = 0;
    for await (const chunk of stream) chunks += chunk === null ? 0 : 1;
    return chunks;
  };
  return [
    { name: 'openai', read: async () => count(await official.chat.completions.create(body)) },
    { name: 'omnix', read: async () => count(await ours.chat.completions.create(body)) },
  ];
}

/** Microseconds of CPU for a stream, all threads of this process together. */
async function measure({ name, read }: Subject): Promise<number> {
  const before = process.cpuUsage();
  for (let stream = 0; stream < STREAMS_PER_TURN; stream += 1) {
    const chunks = await read();
    if (chunks !== CHUNKS) throw new Error(`${name} read ${chunks} chunks`);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / STREAMS_PER_TURN;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function compare(baseURL: string, rounds: number): Promise<string> {
  const subjects = subjectsAt(baseURL);
  for (let turn = 0; turn < WARM_UP_TURNS; turn += 1) {
    for (const subject of subjects) await measure(subject);
  }
  const costs = subjects.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) {
    // Whoever begins is another one each time.
    const order = round % 2 === 0 ? [0, 1] : [1, 0];
    for (const at of order) {
      const subject = subjects[at];
      if (subject !== undefined) costs[at]?.push(await measure(subject));
    }
  }
  const [official = [], ours = []] = costs;
  const ratio = median(ours.map((cost, round) => cost / (official[round] ?? Number.NaN)));
  const us = (values: readonly number[]): string => `${median(values).toFixed(0)} us`;
  const share = `${((ratio - 1) * 100).toFixed(1)} %`;
  return `openai ${us(official)}, omnix ${us(ours)} a stream: omnix adds ${share}`;
}

async function main(rounds: number): Promise<void> {
  const child = fork(import.meta.filename, ['serve']);
  const messages: unknown[] = await once(child, 'message');
  const { port } = portSchema.parse(messages[0]);
  for (const count of EVENTS_PER_WRITE) {
    const line = await compare(`http://127.0.0.1:${port}/${count}/v1`, rounds);
    console.log(`${CHUNKS} chunks, ${count} to a write: ${line}`);
  }
  child.disconnect();
}

if (process.argv[2] === 'serve') await serve();
else await main(Number(process.argv[2] ?? ROUNDS));
