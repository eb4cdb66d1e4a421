/**
 * A chat stream whose upstream speaks the client's own dialect. Events go on as the bytes they came
 * in; only those that carry usage, an error or the end are parsed. The upstream's usage event is
 * kept back: ours, with the cost, takes its place before `[DONE]`.
 */
import { isRecord, listOf, numberOf, parseJson, type JsonRecord } from '#providers/json.ts';
import { breaksOff } from '#providers/dialects/openai-chat/finish.ts';
import { concatBytes, indexOfNeedle, needleOf, toBytes, type Needle } from '#base/bytes.ts';
import {
  createSseSplitter,
  nextEventEnd,
  readEvents,
  type SseEvent,
  type SseSplitter,
} from '#base/sse.ts';
import type { UpstreamComplaint } from '#providers/form.ts';
import type { ChatCodec, PassThrough } from '#providers/provider.ts';
import type { GatewayError } from '#wire/errors.ts';
import { toOpenAiErrorChunk } from '#wire/openai-error.ts';
import type { Usage } from '#wire/usage.ts';
import type { AnswerStream, AnswerTail } from '../answer.ts';
import { ChoiceEnds } from './choice-ends.ts';
import { ProducedText } from './produced-text.ts';
import { usageJson } from './usage-json.ts';

const DATA = toBytes('data:');
const BLANK_LINE = toBytes('\n\n');
const CHOICES = needleOf('"choices"');
const USAGE = needleOf('"usage"');
const ERROR = needleOf('"error"');
const FINISH = needleOf('"finish_reason"');
/** MiniMax says errors there, under 200. */
const BASE_RESP = needleOf('"base_resp"');

function choicesOf(event: JsonRecord): readonly JsonRecord[] {
  const { choices } = event;
  return listOf(choices).filter(isRecord);
}

/** The first byte of the value of the member whose key was found at `at`; -1 if it is no key. */
function valueAfter(bytes: Uint8Array, at: number, needle: Needle): number {
  const colon = skipBlanks(bytes, at + needle.bytes.length);
  return bytes[colon] === 0x3a ? skipBlanks(bytes, colon + 1) : -1;
}

/** An event stands in one line: spaces and tabs are all that JSON may put between. */
function skipBlanks(bytes: Uint8Array, from: number): number {
  let next = from;
  while (bytes[next] === 0x20 || bytes[next] === 0x09) next += 1;
  return next;
}

const LETTER_N = 0x6e;
const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;

function startsWithData(event: Uint8Array): boolean {
  for (let index = 0; index < DATA.length; index += 1) {
    if (event[index] !== DATA[index]) return false;
  }
  return event[DATA.length] === BRACE_OPEN || event[DATA.length + 1] === BRACE_OPEN;
}

function endsWithBrace(event: Uint8Array): boolean {
  let last = event.length - 1;
  while (event[last] === 0x0a || event[last] === 0x0d) last -= 1;
  return event[last] === BRACE_CLOSE;
}

/** True if there is a member of that name with an object in it; `null` in every chunk is common. */
function hasObject(event: Uint8Array, needle: Needle): boolean {
  for (
    let at = indexOfNeedle(event, needle, 0);
    at >= 0;
    at = indexOfNeedle(event, needle, at + 1)
  ) {
    if (event[valueAfter(event, at, needle)] === BRACE_OPEN) return true;
  }
  return false;
}

/** True if a choice ends in this event: then it is worth parsing. */
function finishes(event: Uint8Array): boolean {
  for (
    let at = indexOfNeedle(event, FINISH, 0);
    at >= 0;
    at = indexOfNeedle(event, FINISH, at + 1)
  ) {
    const value = valueAfter(event, at, FINISH);
    if (value >= 0 && event[value] !== LETTER_N) return true;
  }
  return false;
}

/**
 * An event of which nothing must be known: one JSON object in one line, with choices, in the
 * middle.
 */
function isPlain(event: Uint8Array): boolean {
  return (
    startsWithData(event) &&
    endsWithBrace(event) &&
    indexOfNeedle(event, CHOICES, 0) >= 0 &&
    indexOfNeedle(event, ERROR, 0) < 0 &&
    indexOfNeedle(event, BASE_RESP, 0) < 0 &&
    !hasObject(event, USAGE) &&
    !finishes(event)
  );
}

export interface PassStreamOptions {
  readonly passThrough: PassThrough;
  readonly codec: ChatCodec;
  readonly eventBytesMax: number;
  /** Choices that the caller asked for. */
  readonly choices: number;
}

export class PassStream implements AnswerStream {
  readonly #options: PassStreamOptions;
  readonly #splitter: SseSplitter;
  readonly #produced: ProducedText;
  /** What came before the first real event. */
  #held: Uint8Array[] = [];
  /** The first event of the answer, or the one with the usage: what our last event is made from. */
  #model: JsonRecord = {};
  #usageEvents = 0;
  #tier: string | null = null;
  /** Where there are several choices. */
  readonly #several: ChoiceEnds | null;

  began = false;
  ended = false;
  /** The dialect has a last event of its own: until then nothing is complete. */
  readonly complete = false;
  complaint: UpstreamComplaint | null = null;
  usage: Usage | null = null;
  readonly usageText = null;
  finish: string | null = null;

  constructor(options: PassStreamOptions) {
    this.#options = options;
    this.#several = options.choices > 1 ? new ChoiceEnds() : null;
    this.#splitter = createSseSplitter(options.eventBytesMax);
    this.#produced = new ProducedText(options.codec);
  }

  push(bytes: Uint8Array): Uint8Array | null {
    if (this.ended || this.complaint !== null) return null;
    const block = this.#splitter.push(bytes);
    if (block === null) return null;
    if (block === 'too_large') {
      this.#complain('event_too_large', 'The provider sent an event that is too large.');
      return null;
    }
    return this.#take(block);
  }

  close(): Uint8Array | null {
    if (this.ended || this.complaint !== null) return null;
    const rest = this.#splitter.rest();
    const out = rest === null ? null : this.#takeRest(rest);
    if (this.ended || this.complaint !== null) return out;
    if (!this.began)
      this.#complain('empty_answer', 'The provider ended the stream without an answer.');
    else if (this.finish === null || this.#several?.someOpen === true)
      this.#complain('truncated', 'The provider cut the answer off.');
    else this.ended = true;
    return out;
  }

  closing(tail: AnswerTail): Uint8Array {
    const { id, created, model, ...others } = this.#model;
    const last = {
      id,
      object: 'chat.completion.chunk',
      created,
      model,
      ...others,
      choices: [],
      provider: tail.providerName,
      ...(tail.warnings.length > 0 ? { warnings: tail.warnings } : {}),
    };
    const text = JSON.stringify(last);
    const usage = usageJson(tail);
    return toBytes(`data: ${text.slice(0, -1)},"usage":${usage}}\n\ndata: [DONE]\n\n`);
  }

  breaking(error: GatewayError, requestId: string): Uint8Array {
    return toBytes(toOpenAiErrorChunk(error, requestId));
  }

  producedText(): string {
    return this.#produced.text();
  }

  serviceTier(): string | null {
    return this.#tier;
  }

  uncountedText(): null {
    return null;
  }

  #complain(code: string, message: string): void {
    this.complaint = { code, message, status: null };
  }

  /** Offset after the events from `start` on that nobody must look into. */
  #skipPlain(block: Uint8Array, start: number): number {
    // Of several choices each event tells which of them has begun.
    const looksAtAll = this.#several !== null || this.#options.passThrough.event !== undefined;
    if (!this.began || looksAtAll) return start;
    let at = start;
    while (at < block.length) {
      const end = nextEventEnd(block, at);
      if (!isPlain(at === 0 && end === block.length ? block : block.subarray(at, end))) break;
      at = end;
    }
    return at;
  }

  #take(block: Uint8Array): Uint8Array | null {
    const out: Uint8Array[] = [];
    let at = 0;
    while (at < block.length && !this.ended && this.complaint === null) {
      const plainEnd = this.#skipPlain(block, at);
      if (plainEnd > at) {
        out.push(at === 0 && plainEnd === block.length ? block : block.subarray(at, plainEnd));
        at = plainEnd;
      } else {
        const end = nextEventEnd(block, at);
        this.#look(block.subarray(at, end), out);
        at = end;
      }
    }
    return this.#release(out);
  }

  /**
   * A last event without its blank line: it may be cut short, so it is parsed whatever it looks
   * like, and what we send after it must be an event of its own.
   */
  #takeRest(rest: Uint8Array): Uint8Array | null {
    const out: Uint8Array[] = [];
    this.#look(concatBytes([rest, BLANK_LINE]), out);
    return this.#release(out);
  }

  /** Hands on what may be seen: nothing before the answer has begun. */
  #release(out: readonly Uint8Array[]): Uint8Array | null {
    if (out.length === 0) return null;
    const bytes = concatBytes(out);
    if (!this.began) {
      this.#held.push(bytes);
      return null;
    }
    if (this.usage?.source !== 'upstream') this.#produced.add(bytes);
    if (this.#held.length === 0) return bytes;
    const all = concatBytes([...this.#held, bytes]);
    this.#held = [];
    return all;
  }

  /** Looks inside one event, or several where lines end with a bare CR. */
  #look(bytes: Uint8Array, out: Uint8Array[]): void {
    for (const event of readEvents(bytes)) {
      if (this.ended || this.complaint !== null) return;
      if (event.data === null) {
        // Comments keep a connection alive; before the answer there is none to keep.
        if (this.began) out.push(bytes.subarray(event.start, event.end));
      } else if (event.data.trim() === '[DONE]') {
        this.#done();
      } else {
        this.#lookAt(event, bytes, out);
      }
    }
  }

  #done(): void {
    if (this.began) this.ended = true;
    else this.#complain('empty_answer', 'The provider ended the stream without an answer.');
  }

  #lookAt(event: SseEvent, bytes: Uint8Array, out: Uint8Array[]): void {
    const { passThrough } = this.#options;
    const parsed = parseJson(event.data ?? '');
    if (!isRecord(parsed)) {
      this.#complain('malformed_event', 'The provider sent an event that is not JSON.');
      return;
    }
    this.complaint = passThrough.readComplaint(parsed);
    if (this.complaint === null && event.event === 'error') {
      this.#complain('upstream_error', 'The provider broke the answer off.');
    }
    if (this.complaint !== null) return;
    const choices = choicesOf(parsed);
    this.#readFinish(choices);
    if (this.complaint !== null) return;
    this.#begin(parsed, choices);
    const { service_tier: tier } = parsed;
    if (typeof tier === 'string') this.#tier = tier;
    if (this.#readUsage(parsed, choices)) return;
    const seen = passThrough.event?.(parsed) ?? parsed;
    const whole = bytes.subarray(event.start, event.end);
    out.push(seen === parsed ? whole : toBytes(`data: ${JSON.stringify(seen)}\n\n`));
  }

  #readFinish(choices: readonly JsonRecord[]): void {
    for (const choice of choices) {
      const reason = choice['finish_reason'];
      const finished = typeof reason === 'string' && reason !== '';
      if (finished) {
        this.finish = reason;
        if (breaksOff(reason)) this.#complain(reason, 'The provider broke the answer off.');
      }
      if (this.#several !== null) track(this.#several, choice, finished);
    }
  }

  #begin(event: JsonRecord, choices: readonly JsonRecord[]): void {
    if (this.began || choices.length === 0) return;
    this.began = true;
    const { id, created, model, system_fingerprint: fingerprint, service_tier: tier } = event;
    this.#model = {
      id,
      created,
      model,
      ...(fingerprint === undefined ? {} : { system_fingerprint: fingerprint }),
      ...(tier === undefined ? {} : { service_tier: tier }),
    };
  }

  /** True if the event told usage and nothing else: it is not passed on. */
  #readUsage(event: JsonRecord, choices: readonly JsonRecord[]): boolean {
    const usage = this.#options.passThrough.readUsage(event);
    if (usage === null) return false;
    const alone = choices.length === 0;
    if (alone) this.#usageEvents += 1;
    const repeated = this.#usageEvents > 1 && !usage.flags.includes('repeated');
    this.usage = repeated ? { ...usage, flags: [...usage.flags, 'repeated'] } : usage;
    // Usage that cannot be read has to be counted in the end.
    if (usage.source === 'upstream') this.#produced.forget();
    if (alone) this.#model = { ...this.#model, ...withoutUsage(event) };
    return alone && this.began;
  }
}

function track(several: ChoiceEnds, choice: JsonRecord, finished: boolean): void {
  const index = numberOf(choice['index']) ?? 0;
  if (finished) several.finish(index);
  else several.begin(index);
}

function withoutUsage(event: JsonRecord): JsonRecord {
  const {
    usage: _usage,
    choices: _choices,
    object: _object,
    provider: _provider,
    ...others
  } = event;
  return others;
}
