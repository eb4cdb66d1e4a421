/**
 * Opens, grows and closes the parts of one choice of a stream, and collects the events that tell of
 * it. Dense numbers in order of appearance; at most one part grows by `grow` at a time.
 */
import type { ChatEvent, Citation, Part } from '#providers/form.ts';

export interface PartWriter {
  readonly choice: number;
  /** Adds an event. */
  tell(event: ChatEvent): void;
  /** Opens a part and returns its number. */
  open(value: Part): number;
  /** The growing part of this key; opened, and the one before closed, where another was growing. */
  grow(key: string, value: Part): number;
  /** The text part that citations belong to; opened where there was none. */
  text(): number;
  /** Sources of the whole answer, to be told when its text closes. */
  cite(sources: readonly Citation[]): void;
  stop(part: number): void;
  /** Closes what grows. */
  settle(): void;
  /** The events since the last call. */
  take(): readonly ChatEvent[];
}

export function partWriter(choice: number): PartWriter {
  let events: ChatEvent[] = [];
  let parts = 0;
  let growing: { readonly part: number; readonly key: string } | null = null;
  let textPart: number | null = null;
  let sources: readonly Citation[] = [];

  const writer: PartWriter = {
    choice,
    tell(event) {
      events.push(event);
    },
    open(value) {
      const part = parts;
      parts += 1;
      events.push({ type: 'part_start', choice, part, value });
      return part;
    },
    grow(key, value) {
      if (growing?.key === key) return growing.part;
      writer.settle();
      const part = writer.open(value);
      growing = { part, key };
      if (value.type === 'text') textPart = part;
      return part;
    },
    text() {
      return textPart ?? writer.grow('text', { type: 'text', text: '' });
    },
    cite(said) {
      sources = said;
    },
    stop(part) {
      if (part === textPart) {
        for (const citation of sources) events.push({ type: 'citation', choice, part, citation });
        sources = [];
      }
      events.push({ type: 'part_stop', choice, part });
    },
    settle() {
      if (growing !== null) writer.stop(growing.part);
      growing = null;
    },
    take() {
      const taken = events;
      events = [];
      return taken;
    },
  };
  return writer;
}
