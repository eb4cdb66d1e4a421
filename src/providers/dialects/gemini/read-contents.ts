/** Reads the contents of a generateContent request as turns of the common form. */
import type { Part, ToolResultPart, Turn } from '#providers/form.ts';
import { isRecord, listOf, otherMembers, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { camelOf } from './camel.ts';
import { GOOGLE, OWN, nativeOf } from './native.ts';
import { bareSignature, mediaPart, partReader } from './read-part.ts';
import type { PartReader, Piece } from './read-part.ts';

/** A call that waits for its result; results without an id are matched by name and order. */
interface WaitingCall {
  readonly id: string;
  readonly name: string;
}

/** Results of functions become turns of their own, as everywhere in the form. */
export function readContents(contents: unknown): readonly Turn[] {
  const turns: Turn[] = [];
  let waiting: WaitingCall[] = [];
  for (const [index, content] of listOf(contents).entries()) {
    const { role, parts } = recordOf(content);
    const path = `contents[${index}]`;
    const said = listOf(parts).map((part, at) => readNamed(part, `${path}.parts[${at}]`));
    if (role === 'model') {
      const reader = partReader(`c${index}`, 0);
      const read = said.flatMap((part) => readPart(part, reader));
      const last = turns.at(-1);
      const calls = read.flatMap((part) => (part.type === 'tool_call' ? [part] : []));
      // The model may speak twice before anybody answers; in the form that is one turn.
      if (last?.role === 'assistant') {
        turns[turns.length - 1] = { ...last, parts: [...last.parts, ...read] };
        waiting.push(...calls);
      } else {
        turns.push({ role: 'assistant', parts: read, path });
        waiting = calls;
      }
      continue;
    }
    turns.push(...readUser(said, path, waiting));
  }
  return turns;
}

/** `systemInstruction`: text, or a content. */
export function readInstruction(instruction: unknown): readonly Turn[] {
  const path = 'systemInstruction';
  const text = textOf(instruction);
  if (text !== undefined) return [{ role: 'system', parts: [{ type: 'text', text }], path }];
  const reader = partReader(path, 0);
  const parts = listOf(recordOf(instruction)['parts']).flatMap((part, at) =>
    readPart(readNamed(part, `${path}.parts[${at}]`), reader),
  );
  return parts.length === 0 ? [] : [{ role: 'system', parts, path }];
}

interface NamedPart {
  readonly record: JsonRecord;
  readonly path: string;
}

const MESSAGE_MEMBERS = [
  'functionCall',
  'functionResponse',
  'inlineData',
  'fileData',
  'toolCall',
  'toolResponse',
] as const;

function readNamed(part: unknown, path: string): NamedPart {
  const record: Record<string, unknown> = { ...camelOf(part) };
  for (const key of MESSAGE_MEMBERS) if (isRecord(record[key])) record[key] = camelOf(record[key]);
  return { record, path };
}

function readUser(
  said: readonly NamedPart[],
  path: string,
  waiting: WaitingCall[],
): readonly Turn[] {
  const turns: Turn[] = [];
  const reader = partReader(path, 0);
  let rest: Part[] = [];
  const flush = (): void => {
    if (rest.length > 0) turns.push({ role: 'user', parts: rest, path });
    rest = [];
  };
  for (const part of said) {
    const response = part.record['functionResponse'];
    if (isRecord(response)) {
      flush();
      const result = readResult(response, part.path, waiting);
      turns.push({ role: 'tool', parts: [result], path: part.path });
    } else rest.push(...readPart(part, reader));
  }
  flush();
  // Said and empty is not the same as not said: whoever takes the turn may refuse it by its path.
  return turns.length === 0 ? [{ role: 'user', parts: [], path }] : turns;
}

const READ_MEMBERS = new Set([
  'text',
  'thought',
  'thoughtSignature',
  'executableCode',
  'codeExecutionResult',
  ...MESSAGE_MEMBERS,
]);

/** The part, and after a text its signature. */
function readPart({ record, path }: NamedPart, reader: PartReader): readonly Part[] {
  const piece = reader.read(record);
  const extras = otherMembers(record, READ_MEMBERS);
  const native = nativeOf({ ...nativeIn(piece), ...extras });
  const own = native === undefined ? {} : { native };
  if (piece === null) {
    const isEmptyText = record['text'] === '';
    return isEmptyText || native !== undefined ? [{ type: 'text', text: '', path, ...own }] : [];
  }
  const { signature } = piece;
  const bare = signature === undefined ? [] : [{ ...bareSignature(signature), path }];
  if (piece.kind === 'whole') return [{ ...piece.part, path, ...own }, ...bare];
  const { text } = piece;
  if (piece.kind === 'thought') {
    const signed = signature === undefined ? {} : { signature };
    return [{ type: 'reasoning', text, summary: text !== '', ...signed, path, native: OWN }];
  }
  const said: readonly Part[] =
    text === '' && native === undefined ? [] : [{ type: 'text', text, path, ...own }];
  return [...said, ...bare];
}

function nativeIn(piece: Piece | null): JsonRecord {
  return piece?.kind === 'whole' ? (piece.part.native?.[GOOGLE] ?? {}) : {};
}

function readResult(response: JsonRecord, path: string, waiting: WaitingCall[]): ToolResultPart {
  const name = textOf(response['name']);
  const callId = claim(textOf(response['id']), name, waiting);
  const said = recordOf(response['response']);
  const [key, ...more] = Object.keys(said);
  const plain = more.length === 0 && (key === 'output' || key === 'error') ? said[key] : undefined;
  const text = typeof plain === 'string' ? plain : JSON.stringify(said);
  const media = listOf(response['parts']).flatMap((part) => readResultPart(part));
  return {
    type: 'tool_result',
    callId,
    ...(name === undefined ? {} : { name }),
    content: [{ type: 'text', text }, ...media],
    ...(key === 'error' && typeof plain === 'string' ? { isError: true } : {}),
    path,
    ...(typeof plain === 'string' ? {} : { native: { [GOOGLE]: { response: said } } }),
  };
}

/** The id of the call that this answers, which then waits no more. */
function claim(id: string | undefined, name: string | undefined, waiting: WaitingCall[]): string {
  const byId = waiting.findIndex((call) => call.id === id);
  const byName = waiting.findIndex((call) => call.name === name);
  const at = byId === -1 ? byName : byId;
  const [call] = at === -1 ? [] : waiting.splice(at, 1);
  return call?.id ?? id ?? '';
}

function readResultPart(part: unknown): ToolResultPart['content'] {
  const { record } = readNamed(part, '');
  const data = textOf(recordOf(record['inlineData'])['data']);
  const url = textOf(recordOf(record['fileData'])['fileUri']);
  const mediaType =
    textOf(recordOf(record['inlineData'])['mimeType']) ??
    textOf(recordOf(record['fileData'])['mimeType']) ??
    'application/octet-stream';
  if (data === undefined && url === undefined) return [];
  const source =
    data === undefined
      ? ({ kind: 'url', url: url ?? '', mediaType } as const)
      : ({ kind: 'base64', mediaType, data } as const);
  const media = mediaPart(source, mediaType);
  if (media.type === 'image' || media.type === 'audio' || media.type === 'file') return [media];
  return [{ type: 'file', source }];
}
