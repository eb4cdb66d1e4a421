/**
 * Cuts an upstream's stream into the events that a codec reads, whatever the framing: the one place
 * that knows there are two of them.
 */
import { createAwsEventSplitter } from '#base/aws-event-stream.ts';
import { createSseSplitter, readEvents } from '#base/sse.ts';
import type { UpstreamComplaint } from '#providers/form.ts';
import type { StreamFraming } from '#providers/provider.ts';

export interface CutEvent {
  readonly event: string | null;
  readonly data: string;
  /** What the framing itself says of it: `error` and `exception` are no part of an answer. */
  readonly kind: 'event' | 'exception' | 'error';
}

export interface EventCutter {
  /** The events that these bytes completed. */
  push(bytes: Uint8Array): readonly CutEvent[];
  /** The upstream closed: an event that lacks only its end, where the framing allows it. */
  end(): readonly CutEvent[];
  /** Set once no event can follow; those that came before stand. */
  readonly fault: UpstreamComplaint | null;
}

const NONE: readonly CutEvent[] = [];

const TOO_LARGE: UpstreamComplaint = {
  code: 'event_too_large',
  message: 'The provider sent an event that is too large.',
  status: null,
};
const CORRUPT: UpstreamComplaint = {
  code: 'malformed_event',
  message: 'The provider sent a frame whose checksum is wrong.',
  status: null,
};
const TRUNCATED: UpstreamComplaint = {
  code: 'truncated',
  message: 'The provider cut the answer off.',
  status: null,
};

/** Comments, and events without data, say nothing. */
function readSse(block: Uint8Array): readonly CutEvent[] {
  const events: CutEvent[] = [];
  for (const { event, data } of readEvents(block)) {
    if (data !== null) events.push({ event, data, kind: 'event' });
  }
  return events;
}

function sseCutter(eventBytesMax: number): EventCutter {
  const splitter = createSseSplitter(eventBytesMax);
  let fault: UpstreamComplaint | null = null;
  return {
    get fault() {
      return fault;
    },
    push(bytes) {
      const block = fault === null ? splitter.push(bytes) : null;
      if (block === null) return NONE;
      if (block !== 'too_large') return readSse(block);
      fault = TOO_LARGE;
      return NONE;
    },
    end() {
      const rest = fault === null ? splitter.rest() : null;
      return rest === null ? NONE : readSse(rest);
    },
  };
}

function awsCutter(eventBytesMax: number): EventCutter {
  const splitter = createAwsEventSplitter(eventBytesMax);
  let cutOff = false;
  return {
    get fault() {
      if (splitter.fault === null) return cutOff ? TRUNCATED : null;
      return splitter.fault === 'corrupt' ? CORRUPT : TOO_LARGE;
    },
    push: (bytes) => splitter.push(bytes),
    end() {
      cutOff = splitter.partial;
      return NONE;
    },
  };
}

/** `eventBytesMax` bounds what one event may make us hold. */
export function createEventCutter(framing: StreamFraming, eventBytesMax: number): EventCutter {
  return framing === 'sse' ? sseCutter(eventBytesMax) : awsCutter(eventBytesMax);
}
