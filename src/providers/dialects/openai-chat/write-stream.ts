/**
 * Writes a stream of the common form as chunks that the official clients add up. Every event that
 * says something becomes a chunk at once; only sources wait for the end of their choice, because
 * clients keep the last list of them that they see.
 */
import type { ChatEvent } from '#providers/form.ts';
import { choiceWriter } from './write-choice.ts';
import type { ChoiceWriter } from './write-choice.ts';
import type { AnswerId } from './write-pieces.ts';

export interface ChunkWriter {
  /** SSE text of the chunks that tell of the events; '' where there is nothing to tell. */
  push(events: readonly ChatEvent[]): string;
}

/** A writer for one stream. Usage, complaints and `[DONE]` are the gateway's. */
export function chunkWriter(id: AnswerId): ChunkWriter {
  const name = JSON.stringify(id.id);
  const model = JSON.stringify(id.model);
  const head =
    `data: {"id":${name},"object":"chat.completion.chunk","created":${id.created},` +
    `"model":${model},"choices":[{"index":`;
  const choices = new Map<number, ChoiceWriter>();

  const choiceOf = (index: number): ChoiceWriter => {
    const known = choices.get(index);
    if (known !== undefined) return known;
    const writer = choiceWriter(`${head}${index},"delta":{`, id);
    choices.set(index, writer);
    return writer;
  };

  return {
    push(events) {
      let chunks = '';
      for (const event of events) {
        if (event.type === 'usage' || event.type === 'complaint') continue;
        chunks +=
          event.type === 'start' ? choiceOf(0).begin() : choiceOf(event.choice).write(event);
      }
      return chunks;
    },
  };
}
