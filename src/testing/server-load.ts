/** Callers that never stop asking, and remember exactly which answers reached them whole. */
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import type { JsonObject } from './recordings-json.ts';
import { readRecorded } from './recordings-reading.ts';

/** An answer of which the last byte arrived. */
export interface CompleteAnswer {
  readonly generationId: string;
  /** Dollars, as `usage.cost` said. */
  readonly cost: number;
  readonly streamed: boolean;
}

export interface Load {
  readonly complete: readonly CompleteAnswer[];
  /** Requests whose answer did not arrive whole. */
  readonly broken: () => number;
  /** Answers that arrived whole and said something else than 200. */
  readonly refusals: readonly string[];
  /** No new requests; resolves when the running ones have ended, well or not. */
  stop(): Promise<void>;
}

export interface LoadOptions {
  readonly baseUrl: string;
  readonly key: string;
  readonly callers: number;
  /** The body of a caller's n-th request. */
  readonly body: (caller: number, n: number) => JsonObject;
}

/** Starts the callers. A caller ends at its first broken connection: the server is gone then. */
export function startLoad(options: LoadOptions): Load {
  const agent = new Agent({ keepAlive: true });
  const complete: CompleteAnswer[] = [];
  const refusals: string[] = [];
  const state = { stopped: false, broken: 0 };
  const run = async (caller: number) => {
    for (let n = 0; !state.stopped; n += 1) {
      const answer = await ask(agent, options, options.body(caller, n));
      if (answer === null) {
        state.broken += 1;
        return;
      }
      if ('refusal' in answer) refusals.push(answer.refusal);
      else complete.push(answer);
    }
  };
  const callers = Promise.all(Array.from({ length: options.callers }, (_, caller) => run(caller)));
  return {
    complete,
    refusals,
    broken: () => state.broken,
    stop: async () => {
      state.stopped = true;
      await callers;
      agent.destroy();
    },
  };
}

type Answer = CompleteAnswer | { readonly refusal: string } | null;

function ask(agent: Agent, options: LoadOptions, body: JsonObject): Promise<Answer> {
  return new Promise((resolve) => {
    const headers = {
      authorization: `Bearer ${options.key}`,
      'content-type': 'application/json',
    };
    const url = `${options.baseUrl}/chat/completions`;
    const request = httpRequest(url, { agent, method: 'POST', headers }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', () => resolve(null));
      response.on('close', () => resolve(toAnswer(response, Buffer.concat(pieces))));
    });
    request.on('error', () => resolve(null));
    request.end(JSON.stringify(body));
  });
}

/** Null where the last byte is missing. */
function toAnswer(response: IncomingMessage, body: Buffer): Answer {
  if (!response.complete) return null;
  const text = body.toString('utf8');
  if (response.statusCode !== 200) return { refusal: `${response.statusCode} ${text}` };
  const streamed = response.headers['content-type']?.includes('event-stream') === true;
  if (streamed && !text.endsWith('data: [DONE]\n\n')) return null;
  const { cost } = readRecorded(text, streamed);
  const generationId = response.headers['x-generation-id'];
  if (typeof generationId !== 'string' || cost === null) {
    return { refusal: `an answer without cost or generation: ${text}` };
  }
  return { generationId, cost, streamed };
}
