/**
 * Decides whether an answer was the right and whole one: a gateway must not win by dropping things.
 */
import type { Workload } from './workloads.ts';

export interface AnswerCheck {
  onHead(status: number): void;
  onBody(bytes: Buffer): void;
  /** Null when the answer was right, else what was wrong, in a few words fit for counting. */
  verdict(): string | null;
  readonly events: () => number;
}

const NEW_LINE = 0x0a;
const EVENT_END = Buffer.from('\n\n');
/** The last pieces are kept to look for the end mark, which may lie across two or three reads. */
const TAIL_PIECES = 4;

/** Counts the blank lines that end events, also when one lies across two pieces. */
function createEventCounter(): { push(bytes: Buffer): void; readonly count: () => number } {
  let count = 0;
  let endedInNewLine = false;
  return {
    push(bytes) {
      let from = 0;
      if (endedInNewLine && bytes[0] === NEW_LINE) {
        count += 1;
        from = 1;
      }
      for (;;) {
        const at = bytes.indexOf(EVENT_END, from);
        if (at < 0) break;
        count += 1;
        from = at + EVENT_END.length;
      }
      endedInNewLine = from < bytes.length && bytes.at(-1) === NEW_LINE;
    },
    count: () => count,
  };
}

function createStreamCheck(workload: Workload): AnswerCheck {
  const counter = createEventCounter();
  const tail: Buffer[] = [];
  let status = 0;
  return {
    onHead: (value) => (status = value),
    onBody(bytes) {
      counter.push(bytes);
      tail.push(bytes);
      if (tail.length > TAIL_PIECES) tail.shift();
    },
    verdict() {
      if (status !== 200) return `status ${status}`;
      if (!/data: \[DONE\]\n+$/.test(Buffer.concat(tail).toString('latin1'))) return 'no [DONE]';
      return counter.count() < workload.eventsMin ? 'events are missing' : null;
    },
    events: counter.count,
  };
}

function createJsonCheck(): AnswerCheck {
  const parts: Buffer[] = [];
  let status = 0;
  return {
    onHead: (value) => (status = value),
    onBody: (bytes) => parts.push(bytes),
    verdict() {
      if (status !== 200) return `status ${status}`;
      const body = Buffer.concat(parts);
      if (!body.includes('"chat.completion"')) return 'not a completion';
      return body.includes('"completion_tokens"') ? null : 'no usage';
    },
    events: () => 0,
  };
}

export function createAnswerCheck(workload: Workload): AnswerCheck {
  return workload.eventsMin > 0 ? createStreamCheck(workload) : createJsonCheck();
}
