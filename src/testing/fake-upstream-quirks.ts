/**
 * What goes wrong after an upstream's stream has begun, what is only strange, and how usage lies
 * (promises.md, "Faults to inject"), as data that a matrix test walks.
 */
import { UPSTREAM_ACCOUNT } from './fake-upstream-faults.ts';
import {
  DONE,
  PIECES,
  TEXT,
  USAGE,
  chunkEvent,
  completionBody,
  deltaEvent,
  errorBody,
  jsonReply,
  sseReply,
  streamEvents,
  writes,
  type Mode,
} from './fake-upstream-replies.ts';
import type { Reply } from './fake-upstream.ts';

/** Goes wrong after the first event of a stream: the caller gets an error event and no [DONE]. */
export interface LateFault {
  readonly name: string;
  readonly reply: () => Reply;
  /** The text that arrived before it broke. */
  readonly text: string;
  readonly slow?: boolean;
}

/** Strange, but an answer: the caller gets it whole. */
export interface Quirk {
  readonly name: string;
  readonly modes: readonly Mode[];
  readonly reply: (mode: Mode) => Reply;
  readonly text: string;
  readonly finish?: string;
  /** It may also end in an error event: the gateway bounds what it holds. */
  readonly mayBreak?: boolean;
}

const BEGUN = streamEvents().slice(0, 4);
const BEGUN_TEXT = PIECES.slice(0, 3).join('');

export const LATE_FAULTS: readonly LateFault[] = [
  { name: 'reset after chunk 3', reply: () => begun([{ do: 'reset' }]), text: BEGUN_TEXT },
  { name: 'FIN inside the body', reply: () => begun([{ do: 'fin' }]), text: BEGUN_TEXT },
  {
    name: 'a clean end without a terminal event',
    reply: () => begun([{ do: 'end' }]),
    text: BEGUN_TEXT,
  },
  {
    name: 'an end in the middle of an event',
    reply: () => begun([{ do: 'write', bytes: 'data: {"id":"chatcm' }, { do: 'end' }]),
    text: BEGUN_TEXT,
  },
  {
    name: 'an error chunk later',
    reply: () =>
      begun([...writes([`data: ${errorBody(UPSTREAM_ACCOUNT, 'x')}\n\n`]), { do: 'end' }]),
    text: BEGUN_TEXT,
  },
  {
    name: 'an error chunk later, then [DONE]',
    reply: () =>
      begun([...writes([`data: ${errorBody(UPSTREAM_ACCOUNT, 'x')}\n\n`, DONE]), { do: 'end' }]),
    text: BEGUN_TEXT,
  },
  {
    name: 'a named error event later',
    reply: () =>
      begun([
        ...writes([`event: error\ndata: ${errorBody(UPSTREAM_ACCOUNT, 'x')}\n\n`]),
        { do: 'end' },
      ]),
    text: BEGUN_TEXT,
  },
  {
    name: 'a malformed event later',
    reply: () => begun([...writes(['data: {"id":"chatcm\n\n']), { do: 'end' }]),
    text: BEGUN_TEXT,
  },
  {
    name: 'hang after chunk 3',
    reply: () => begun([{ do: 'hang' }]),
    text: BEGUN_TEXT,
    slow: true,
  },
];

/** So that what follows is a read of its own: whoever reads both at once may ask somebody else. */
const APART_MS = 100;

function begun(last: Reply): Reply {
  return sseReply(BEGUN, [{ do: 'wait', ms: APART_MS }, ...last]);
}

const BIG_EVENT_BYTES = 10 * 1024 * 1024;
const BIG_TEXT = 'x'.repeat(BIG_EVENT_BYTES);

/** Every byte of the stream in a write of its own. */
function dripped(): Reply {
  const bytes = Buffer.from(streamEvents().join(''));
  return sseReply(Array.from(bytes, (byte) => Uint8Array.of(byte)));
}

/** Cut inside each character that has more than one byte. */
function splitCharacters(): Reply {
  const pieces: Uint8Array[] = [];
  let from = 0;
  const bytes = Buffer.from(streamEvents().join(''));
  bytes.forEach((byte, at) => {
    if (byte < 0x80 || at === 0) return;
    pieces.push(bytes.subarray(from, at));
    from = at;
  });
  return sseReply([...pieces, bytes.subarray(from)].filter((piece) => piece.length > 0));
}

function lineEnds(end: string): () => Reply {
  return () => sseReply(streamEvents().map((event) => event.replaceAll('\n', end)));
}

const BOTH: readonly Mode[] = ['json', 'stream'];
const STREAM: readonly Mode[] = ['stream'];

function streamed(name: string, reply: () => Reply, text = TEXT): Quirk {
  return { name, modes: STREAM, reply, text };
}

const TOOL_CALL = { index: 0, type: 'function', function: { name: 'look', arguments: '{"a":1}' } };

export const QUIRKS: readonly Quirk[] = [
  {
    name: 'latency before the answer',
    modes: BOTH,
    reply: (mode) => [
      { do: 'wait', ms: 150 },
      ...(mode === 'stream' ? sseReply(streamEvents()) : jsonReply(200, completionBody())),
    ],
    text: TEXT,
  },
  streamed('one byte a write', dripped),
  streamed('characters split across writes', splitCharacters),
  streamed('CRLF line ends', lineEnds('\r\n')),
  streamed('CR line ends', lineEnds('\r')),
  streamed('comments and pings', () =>
    sseReply([
      ': hi\n\n',
      ...streamEvents().flatMap((event) => [event, 'event: ping\n\n', ':\n\n']),
    ]),
  ),
  streamed('no space after the colon', () =>
    sseReply(streamEvents().map((event) => event.replace('data: ', 'data:'))),
  ),
  streamed('a byte order mark', () => sseReply([`\uFEFF${streamEvents().join('')}`])),
  streamed('all events in one write', () => sseReply([streamEvents().join('')])),
  streamed('a terminal event without [DONE]', () => sseReply(streamEvents().slice(0, -1))),
  streamed('usage in the finishing chunk', () =>
    sseReply([
      ...streamEvents({ usage: undefined }).slice(0, -2),
      chunkEvent([{ index: 0, delta: {}, finish_reason: 'stop' }], { usage: USAGE }),
      DONE,
    ]),
  ),
  streamed('an empty first chunk', () =>
    sseReply([chunkEvent([], { prompt_filter_results: [] }, ''), ...streamEvents()]),
  ),
  {
    ...streamed(
      '10 MB in one event',
      () => sseReply(streamEvents({ pieces: [BIG_TEXT] })),
      BIG_TEXT,
    ),
    mayBreak: true,
  },
  {
    name: 'an unknown finish reason',
    modes: BOTH,
    reply: (mode) =>
      mode === 'stream'
        ? sseReply(streamEvents({ finish: 'abandoned' }))
        : jsonReply(200, completionBody({ finish: 'abandoned' })),
    text: TEXT,
    finish: 'abandoned',
  },
  {
    name: 'tool calls without an id',
    modes: BOTH,
    reply: (mode) => {
      const script = { toolCalls: [TOOL_CALL], finish: 'tool_calls' };
      return mode === 'stream'
        ? sseReply(streamEvents(script))
        : jsonReply(200, completionBody(script));
    },
    text: '',
    finish: 'tool_calls',
  },
];

export interface UsageLie {
  readonly name: string;
  /** What an upstream puts in the place of usage; undefined leaves it out. */
  readonly usage: unknown;
  /** Whether the receipt must say that something was wrong. */
  readonly flagged: boolean;
  /** Whether it must be counted by us: then it costs something. */
  readonly counted: boolean;
}

const LIE = { flagged: true, counted: false };
const COUNTED = { flagged: true, counted: true };

/** How an upstream lies about usage; the text that it sends with it is short. */
export const USAGE_LIES: readonly UsageLie[] = [
  { ...COUNTED, name: 'missing', usage: undefined },
  { ...COUNTED, name: 'null', usage: null },
  { ...COUNTED, name: 'not an object', usage: 'plenty' },
  { ...LIE, name: 'negative', usage: usageOf(-5, -7) },
  { ...COUNTED, name: 'absurd', usage: usageOf(9e15, 9e15) },
  { ...COUNTED, name: 'beyond a double', usage: usageOf(1e308, 1e308) },
  { ...LIE, name: 'fractional', usage: usageOf(11.5, 7.25) },
  { ...LIE, name: 'strings', usage: usageOf('11', '7') },
  {
    ...LIE,
    name: 'more cached than there is',
    usage: { ...usageOf(11, 7), prompt_tokens_details: { cached_tokens: 5_000 } },
  },
  {
    name: 'a cost of its own',
    usage: { ...usageOf(11, 7), cost: 1_000, cost_details: { upstream: 1_000 } },
    flagged: false,
    counted: false,
  },
];

function usageOf(input: unknown, output: unknown): Readonly<Record<string, unknown>> {
  return { prompt_tokens: input, completion_tokens: output, total_tokens: 18 };
}

/** Usage said twice, and usage in every chunk: the last one counts, once. */
export function repeatedUsage(everywhere: boolean): Reply {
  const usage = chunkEvent([], { usage: USAGE });
  if (!everywhere) return sseReply([...streamEvents().slice(0, -1), usage, DONE]);
  const growing = PIECES.map((content, n) =>
    chunkEvent([{ index: 0, delta: { content }, finish_reason: null }], {
      usage: { prompt_tokens: 11, completion_tokens: n + 1, total_tokens: n + 12 },
    }),
  );
  return sseReply([...growing, deltaEvent({}, 'stop'), usage, DONE]);
}
