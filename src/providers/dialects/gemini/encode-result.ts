/**
 * Writes what a tool of the caller returned. Google wants a JSON object, in which `output` and
 * `error` have a meaning; the caller's text goes there as it stands, also where it is JSON, since
 * reading and writing it again would change its numbers.
 */
import type { Part, ToolCallPart, ToolResultPart } from '#providers/form.ts';
import { isRecord } from '#providers/json.ts';
import { encodePart } from './encode-parts.ts';
import type { JsonPart, TurnPlace } from './encode-parts.ts';
import { GOOGLE } from './native.ts';

interface ResultPlace {
  readonly path: string;
  readonly turns: TurnPlace;
}

export interface EncodedResult {
  readonly result: JsonPart;
  /** Media that this model does not take inside. */
  readonly beside: readonly JsonPart[];
}

/** `functionResponse`. `call` is the call that it answers. */
export function encodeResult(
  part: ToolResultPart,
  call: ToolCallPart | undefined,
  place: ResultPlace,
): EncodedResult {
  const texts = part.content.filter((piece) => piece.type === 'text');
  const media = part.content.filter((piece) => piece.type !== 'text');
  const fits = (piece: Part): boolean => piece.type !== 'audio' && place.turns.traits.combinesTools;
  const inside = media.filter(fits);
  const after = media.filter((piece) => !fits(piece));
  if (after.length > 0) {
    const message = 'Media of a tool result were sent beside it.';
    place.turns.warnings.push({ code: 'emulated', param: place.path, message });
  }
  const parts = inside.flatMap((piece) => encodePiece(piece, place));
  const native = part.native?.[GOOGLE]?.['response'];
  const text = texts.map((piece) => piece.text).join('\n');
  const said = part.isError === true ? { error: text } : { output: text };
  const functionResponse = {
    ...(call?.idIsOurs === true ? {} : { id: part.callId }),
    name: call?.name ?? part.name ?? '',
    response: isRecord(native) ? native : said,
    ...(parts.length === 0 ? {} : { parts }),
  };
  return {
    result: { functionResponse },
    beside: after.flatMap((piece) => encodePiece(piece, place)),
  };
}

function encodePiece(piece: Part, place: ResultPlace): readonly JsonPart[] {
  const encoded = encodePart(piece, piece.path ?? `${place.path}.content`, place.turns);
  return encoded === null ? [] : [encoded];
}
