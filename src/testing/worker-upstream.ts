/**
 * The upstream of the tests inside workerd, which cannot script it themselves: what it does stands
 * in the prompt, and what reached it can be asked over HTTP.
 */
import {
  goodReply,
  jsonReply,
  modeOf,
  SSE_HEADERS,
  streamEvents,
} from './fake-upstream-replies.ts';
import { errorBody } from './fake-upstream-replies.ts';
import {
  startFakeUpstream,
  type Answerer,
  type FakeUpstream,
  type Reply,
} from './fake-upstream.ts';
import { TEST_HOSTS } from './test-gateway-config.ts';

/** Long enough for a test to do something in between. */
const SLOW_MS = 1_500;
/** A word in the prompt, and what the upstream then does. */
const MANNERS: readonly (readonly [word: string, reply: () => Reply])[] = [
  ['FAIL', () => jsonReply(503, errorBody('overloaded', null))],
  [
    'HANG',
    () => [
      { do: 'head', status: 200, headers: SSE_HEADERS },
      ...streamEvents()
        .slice(0, 3)
        .map((bytes) => ({ do: 'write', bytes }) as const),
      { do: 'hang' },
    ],
  ],
  ['SLOW', () => [{ do: 'wait', ms: SLOW_MS }, ...goodReply('json')]],
];

const answer: Answerer = (request) => {
  const text = request.body.toString();
  const manner = MANNERS.find(([word]) => text.includes(word));
  return manner === undefined ? goodReply(modeOf(request.body)) : manner[1]();
};

/** What reached it with this word in the body, as `GET /_seen?<word>` tells it. */
export interface SeenRequest {
  readonly path: string;
  readonly aborted: boolean;
  readonly finished: boolean;
}

export async function startWorkerUpstream(): Promise<FakeUpstream> {
  const fake = await startFakeUpstream();
  for (const host of TEST_HOSTS) fake.on(`/${host}`, answer);
  fake.on('/_seen', ({ path }) => {
    const word = decodeURIComponent(path.slice(path.indexOf('?') + 1));
    const seen: readonly SeenRequest[] = fake.received
      .filter((request) => request.body.toString().includes(word))
      .map((request) => ({
        path: request.path,
        aborted: request.aborted !== null,
        finished: request.finished,
      }));
    return jsonReply(200, JSON.stringify(seen));
  });
  return fake;
}
