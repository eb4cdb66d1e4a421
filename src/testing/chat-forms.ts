/** Conversations in the common form for tests, and what must hold of a stream of its events. */
import type { ChatEvent, ChatForm, Part, Turn } from '#providers/form.ts';
import type { ChatCodec } from '#providers/provider.ts';

/** A form that asks for nothing but what is named. */
export function formOf(turns: readonly Turn[], more: Partial<ChatForm> = {}): ChatForm {
  return {
    turns,
    tools: [],
    output: { kind: 'text' },
    modalities: ['text'],
    reasoning: {},
    sampling: {},
    choices: 1,
    stream: false,
    native: {},
    ...more,
  };
}

/** The same small result for every call among the parts, a turn each. */
export function resultsOf(parts: readonly Part[]): readonly Turn[] {
  return parts
    .filter((part) => part.type === 'tool_call')
    .map(({ id }) => ({
      role: 'tool',
      parts: [{ type: 'tool_result', callId: id, content: [{ type: 'text', text: '9' }] }],
    }));
}

/** What a codec makes of a whole stream of unnamed events. */
export function eventsOf(codec: ChatCodec, events: readonly unknown[]): readonly ChatEvent[] {
  const decoder = codec.stream();
  const data = events.map((each) => JSON.stringify(each) ?? '');
  return [...data.flatMap((text) => decoder.push({ event: null, data: text })), ...decoder.end()];
}

/** Where parts are not dense, grow when they are not open, or stay open. */
export function partFaults(events: readonly ChatEvent[]): readonly string[] {
  const found: string[] = [];
  const open = new Set<number>();
  let parts = 0;
  for (const told of events) {
    if (!('part' in told)) continue;
    if (told.type === 'part_start') {
      if (told.part !== parts) found.push('not dense');
      parts += 1;
      open.add(told.part);
    }
    if (!open.has(told.part)) found.push(`${told.type} of no open part`);
    if (told.type === 'part_stop') open.delete(told.part);
  }
  return open.size === 0 ? found : [...found, 'never closed'];
}
