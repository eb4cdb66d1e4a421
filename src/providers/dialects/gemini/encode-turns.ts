/**
 * Writes the turns of a conversation as Google's contents. Instructions stand apart, results of
 * tools that were called together stand in one content, and what the model thought goes back, with
 * its signatures, on the parts that it came on.
 */
import type { Part, ToolCallPart, ToolResultPart, Turn } from '#providers/form.ts';
import { CannotSay } from '#providers/provider.ts';
import { checkToolOrder } from '../tool-order.ts';
import { assistantWriter } from './encode-assistant.ts';
import { encodeParts } from './encode-parts.ts';
import type { JsonPart, TurnPlace } from './encode-parts.ts';
import { encodeResult } from './encode-result.ts';

/** An empty text is taken, where no part at all is refused (recordings of 2026). */
const SILENCE: readonly JsonPart[] = [{ text: '' }];

interface Content {
  readonly role: 'user' | 'model';
  readonly parts: readonly JsonPart[];
}

export interface EncodedTurns {
  readonly contents: readonly Content[];
  readonly systemInstruction?: { readonly parts: readonly JsonPart[] };
}

/** Throws CannotSay with the path of what Google would refuse. */
export function encodeTurns(turns: readonly Turn[], place: TurnPlace): EncodedTurns {
  checkToolOrder(turns);
  const writer = contentWriter(place);
  const system: JsonPart[] = [];
  for (const [index, turn] of turns.entries()) {
    const path = turn.path ?? `messages[${index}]`;
    warnOfName(turn, path, place);
    if (turn.role === 'system' || turn.role === 'developer') {
      if (!writer.isEmpty()) warnOfOrder(path, place);
      system.push(...encodeParts(turn.parts, path, place));
    } else if (turn.role === 'assistant') writer.model(turn, path);
    else writer.user(turn, path);
  }
  const contents = writer.end();
  if (system.length === 0 && contents.length === 0) {
    throw new CannotSay('messages', 'There is nothing to answer.');
  }
  return {
    // Instructions alone are no conversation to Google; a user who says nothing makes them one.
    contents: contents.length === 0 ? [{ role: 'user', parts: SILENCE }] : contents,
    ...(system.length === 0 ? {} : { systemInstruction: { parts: system } }),
  };
}

interface ContentWriter {
  isEmpty(): boolean;
  model(turn: Turn, path: string): void;
  /** A turn of the user, or results of tools. */
  user(turn: Turn, path: string): void;
  end(): readonly Content[];
}

function contentWriter(place: TurnPlace): ContentWriter {
  const contents: Content[] = [];
  const calls = new Map<string, ToolCallPart>();
  /** What the calls before returned, and what of it stands beside the results. */
  let results: JsonPart[] = [];
  let beside: JsonPart[] = [];

  const closeResults = (): void => {
    if (results.length > 0) contents.push({ role: 'user', parts: [...results, ...beside] });
    results = [];
    beside = [];
  };

  const addResult = (part: ToolResultPart, path: string): void => {
    const encoded = encodeResult(part, calls.get(part.callId), { path, turns: place });
    results.push(encoded.result);
    beside.push(...encoded.beside);
  };

  return {
    isEmpty: () => contents.length === 0 && results.length === 0,
    model(turn, path) {
      closeResults();
      const parts = encodeModel(turn, path, place);
      for (const part of turn.parts) {
        if (part.type !== 'tool_call') continue;
        if (contents.length === 0)
          throw new CannotSay(path, 'A tool is called before any message.');
        calls.set(part.id, part);
      }
      // Google's own client leaves turns in which the model said nothing out of the history.
      if (parts.length > 0) contents.push({ role: 'model', parts });
    },
    user(turn, path) {
      const rest: Part[] = [];
      for (const part of turn.parts) {
        if (part.type === 'tool_result') addResult(part, path);
        else rest.push(part);
      }
      if (rest.length === 0 && turn.parts.length > 0) return;
      closeResults();
      if (rest.length === 0) throw new CannotSay(path, 'The message is empty.');
      const parts = encodeParts(rest, path, place);
      contents.push({ role: 'user', parts: parts.length === 0 ? SILENCE : parts });
    },
    end() {
      closeResults();
      return contents;
    },
  };
}

function encodeModel(turn: Turn, path: string, place: TurnPlace): readonly JsonPart[] {
  const writer = assistantWriter(turn, place);
  for (const [index, part] of turn.parts.entries()) {
    writer.push(part, part.path ?? `${path}.content[${index}]`);
  }
  return writer.end();
}

function warnOfName(turn: Turn, path: string, { warnings }: TurnPlace): void {
  if (turn.name === undefined || turn.role === 'tool') return;
  const message = 'This provider knows no names of participants.';
  warnings.push({ code: 'dropped', param: `${path}.name`, message });
}

function warnOfOrder(path: string, { warnings }: TurnPlace): void {
  const message = 'Instructions inside the conversation were moved to its beginning.';
  warnings.push({ code: 'emulated', param: path, message });
}
