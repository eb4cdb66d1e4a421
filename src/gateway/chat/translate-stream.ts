/**
 * A chat stream whose upstream speaks another dialect than the client: cut into events, read by the
 * host's codec, written as chunks at once. Nothing is held back but what comes before the answer's
 * first content, so that a failure there can be tried elsewhere.
 */
import { toBytes } from '#base/bytes.ts';
import type { ChatEvent, Finish, UpstreamComplaint } from '#providers/form.ts';
import type { ChatStreamDecoder, ChatSupport } from '#providers/provider.ts';
import type { AnswerId } from '#providers/dialects/openai-chat/write-answer.ts';
import { chunkWriter, type ChunkWriter } from '#providers/dialects/openai-chat/write-stream.ts';
import type { GatewayError } from '#wire/errors.ts';
import { toOpenAiErrorChunk } from '#wire/openai-error.ts';
import { inputTokens, type Usage } from '#wire/usage.ts';
import type { AnswerStream, AnswerTail } from '../answer.ts';
import { ChoiceEnds } from './choice-ends.ts';
import { createEventCutter, type CutEvent, type EventCutter } from './event-cutter.ts';
import { KeptText } from './kept-text.ts';
import { eventText } from './produced-text.ts';
import { translatedTail } from './translated-tail.ts';

export interface TranslateStreamOptions {
  readonly chat: Pick<ChatSupport, 'codec' | 'framing'>;
  readonly eventBytesMax: number;
  /** Choices that the caller asked for. */
  readonly choices: number;
  /** What the answer says of itself where the upstream says nothing. */
  readonly stated: AnswerId;
}

/** The upstream's word for receipts; a failure is called so whatever the upstream calls it. */
export function finishWord({ reason, native }: Finish): string {
  if (reason === 'error') return reason;
  return native === '' ? reason : native;
}

/** The upstream's own id, time and model where it has them. */
export function identify(
  said: { readonly id: string; readonly createdAt: number; readonly model: string },
  stated: AnswerId,
): AnswerId {
  return {
    ...stated,
    id: said.id === '' ? stated.id : said.id,
    created: said.createdAt > 0 ? said.createdAt : stated.created,
    model: said.model === '' ? stated.model : said.model,
  };
}

export class TranslateStream implements AnswerStream {
  readonly #cutter: EventCutter;
  readonly #decoder: ChatStreamDecoder;
  readonly #choices: number;
  #id: AnswerId;
  #writer: ChunkWriter | null = null;
  /** Chunks that came before the first content. */
  #held = '';
  #tier: string | null = null;
  readonly #text = new KeptText();
  readonly #ends = new ChoiceEnds();

  began = false;
  accepted = false;
  ended = false;
  complaint: UpstreamComplaint | null = null;
  usage: Usage | null = null;
  readonly usageText = null;
  finish: string | null = null;

  constructor(options: TranslateStreamOptions) {
    const { chat, eventBytesMax, choices, stated } = options;
    this.#cutter = createEventCutter(chat.framing ?? 'sse', eventBytesMax);
    this.#decoder = chat.codec.stream();
    this.#choices = choices;
    this.#id = stated;
  }

  get complete(): boolean {
    return (
      this.#ends.finished >= this.#choices &&
      !this.#ends.someOpen &&
      this.usage?.source === 'upstream'
    );
  }

  push(bytes: Uint8Array): Uint8Array | null {
    if (this.ended || this.complaint !== null) return null;
    const told: ChatEvent[] = [];
    this.#decodeAll(this.#cutter.push(bytes), told);
    return this.#write(told);
  }

  close(): Uint8Array | null {
    if (this.ended || this.complaint !== null) return null;
    const told: ChatEvent[] = [];
    this.#decodeAll(this.#cutter.end(), told);
    if (this.complaint === null) this.#read(() => this.#decoder.end(), told);
    const out = this.#write(told);
    if (this.complaint !== null) return out;
    if (!this.began) {
      this.#complain('empty_answer', 'The provider ended the stream without an answer.');
    } else if (this.finish === null || this.#ends.someOpen) {
      this.#complain('truncated', 'The provider cut the answer off.');
    } else {
      this.ended = true;
    }
    return out;
  }

  closing(tail: AnswerTail): Uint8Array {
    const { id, created, model } = this.#id;
    const last = { id, object: 'chat.completion.chunk', created, model, choices: [] };
    const text = JSON.stringify(last);
    return toBytes(`data: ${text.slice(0, -1)}${translatedTail(tail)}}\n\ndata: [DONE]\n\n`);
  }

  breaking(error: GatewayError, requestId: string): Uint8Array {
    return toBytes(toOpenAiErrorChunk(error, requestId));
  }

  serviceTier(): string | null {
    return this.#tier;
  }

  producedText(): string {
    return this.#text.text();
  }

  uncountedText(): string | null {
    const { usage } = this;
    // Numbers that could not be read are worth nothing.
    if (usage === null || inputTokens(usage.buckets) === 0) return null;
    const text = this.#text.text();
    return usage.source === 'upstream' && text === '' ? null : text;
  }

  /** After all has been said, nothing can spoil the answer any more. */
  #complain(code: string, message: string): void {
    if (!this.complete) this.complaint = { code, message, status: null };
  }

  #decodeAll(cut: readonly CutEvent[], told: ChatEvent[]): void {
    for (const one of cut) {
      if (this.complaint !== null) return;
      this.#decode(one, told);
    }
    const { fault } = this.#cutter;
    if (fault !== null && this.complaint === null && !this.complete) this.complaint = fault;
  }

  #decode(cut: CutEvent, told: ChatEvent[]): void {
    if (cut.kind === 'error') {
      this.#complain(cut.event ?? 'upstream_error', 'The provider broke the answer off.');
      return;
    }
    this.#read(() => this.#decoder.push(cut), told);
    // What the framing calls an exception is one, whether or not the codec knows its name.
    if (cut.kind === 'exception' && this.complaint === null) {
      this.#complain(cut.event ?? 'upstream_error', 'The provider broke the answer off.');
    }
  }

  /** A codec must not throw; if one does, its answer is broken and not the process. */
  #read(decode: () => readonly ChatEvent[], told: ChatEvent[]): void {
    let counted = false;
    try {
      for (const event of decode()) {
        if (this.complaint !== null) return;
        this.#note(event);
        if (event.type === 'usage') counted ||= event.usage.source === 'upstream';
        if (event.type !== 'complaint') told.push(event);
      }
    } catch {
      this.#complain('malformed_event', 'The provider sent an event that cannot be read.');
    }
    // What came in one event with the count is in it, whichever stands first.
    if (counted) this.#text.forget();
  }

  #note(event: ChatEvent): void {
    switch (event.type) {
      case 'start':
        this.#id = identify(event, this.#id);
        this.accepted = true;
        return;
      case 'usage':
        this.usage = event.usage;
        this.#tier = event.serviceTier ?? this.#tier;
        return;
      case 'complaint':
        if (!this.complete) this.complaint = event.complaint;
        return;
      case 'finish':
        this.began = true;
        this.finish = finishWord(event.finish);
        this.#ends.finish(event.choice);
        return;
      case 'part_start':
        this.#ends.begin(event.choice);
        break;
      default:
    }
    this.began = true;
    this.#text.add(eventText(event));
  }

  #write(told: readonly ChatEvent[]): Uint8Array | null {
    if (told.length === 0) return null;
    let chunks = '';
    try {
      this.#writer ??= chunkWriter(this.#id);
      chunks = this.#held + this.#writer.push(told);
    } catch {
      this.#complain('malformed_event', 'The provider sent an event that cannot be passed on.');
    }
    this.#held = this.began ? '' : chunks;
    return this.began && chunks !== '' ? toBytes(chunks) : null;
  }
}
