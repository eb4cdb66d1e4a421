/**
 * What a stream has generated so far, kept cheaply in case nobody else counts it: raw events up to
 * a bound, then only their text.
 */
import { readEvents } from '#base/sse.ts';
import type { ChatEvent, Part } from '#providers/form.ts';
import type { ChatCodec, ChatStreamDecoder } from '#providers/provider.ts';

/** Text is some thirty times smaller than the events that carry it. */
const RAW_BYTES_MAX = 32 * 1024;

export class ProducedText {
  readonly #codec: ChatCodec;
  /** Made when something must be decoded: mostly the upstream counts, and nothing is. */
  #decoder: ChatStreamDecoder | null = null;
  #raw: Uint8Array[] = [];
  #rawBytes = 0;
  #text: string[] = [];

  constructor(codec: ChatCodec) {
    this.#codec = codec;
  }

  /** Whole events as they were read. */
  add(block: Uint8Array): void {
    this.#raw.push(block);
    this.#rawBytes += block.length;
    if (this.#rawBytes > RAW_BYTES_MAX) this.#condense();
  }

  /** The upstream has counted: nothing needs to be kept. */
  forget(): void {
    this.#raw = [];
    this.#rawBytes = 0;
    this.#text = [];
  }

  text(): string {
    this.#condense();
    return this.#text.join('');
  }

  #condense(): void {
    this.#decoder ??= this.#codec.stream();
    for (const block of this.#raw) {
      for (const { event, data } of readEvents(block)) {
        if (data === null) continue;
        for (const told of this.#decoder.push({ event, data })) this.#text.push(eventText(told));
      }
    }
    this.#raw = [];
    this.#rawBytes = 0;
  }
}

/** What a model had to generate for this event. */
export function eventText(event: ChatEvent): string {
  switch (event.type) {
    case 'part_start':
      return partText(event.value);
    case 'text_delta':
    case 'reasoning_delta':
    case 'refusal_delta':
    case 'arguments_delta':
      return event.text;
    default:
      return '';
  }
}

/** Everything in a part that a model had to generate. */
export function partText(part: Part): string {
  switch (part.type) {
    case 'text':
    case 'reasoning':
    case 'refusal':
      return part.text;
    case 'tool_call':
      return part.name + part.arguments;
    default:
      return '';
  }
}
