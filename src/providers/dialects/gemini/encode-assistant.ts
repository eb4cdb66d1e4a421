/**
 * Writes a turn of the model. Gemini 3 refuses a call that comes back without its thought
 * signature, so what a client lost on the way is replaced by the placeholder that Google documents
 * for it; signatures of texts are not demanded, and go back where they are known.
 */
import type { AudioPart, Part, ReasoningPart, ToolCallPart, Turn } from '#providers/form.ts';
import { isRecord, parseJson, textOf } from '#providers/json.ts';
import { CannotSay } from '#providers/provider.ts';
import { encodePart, extrasOf } from './encode-parts.ts';
import type { JsonPart, TurnPlace } from './encode-parts.ts';
import { toolTypeOf } from './hosted-tools.ts';
import { GOOGLE, PLACEHOLDER_SIGNATURE, signatureOf } from './native.ts';

export interface AssistantWriter {
  push(part: Part, path: string): void;
  end(): readonly JsonPart[];
}

/** For one turn. */
export function assistantWriter({ parts: all }: Turn, place: TurnPlace): AssistantWriter {
  const parts: JsonPart[] = [];
  const held = heldSignature(parts);
  let calls = 0;
  /** Signatures that name their call, as OpenRouter tells them. */
  const named = new Map<string, string>();

  const pushReasoning = (part: ReasoningPart): void => {
    // What another upstream thought is nothing to this one.
    if (part.native?.[GOOGLE] === undefined) return;
    const signature = part.signature ?? part.encrypted;
    if (part.text !== '') {
      parts.push({ text: part.text, thought: true, ...signed(signature) });
      return;
    }
    if (signature === undefined) return;
    const isNamed = all.some((one) => one.type === 'tool_call' && one.id === part.id);
    if (isNamed && part.id !== undefined) named.set(part.id, signature);
    else held.put(signature);
  };

  const pushOther = (part: Part, path: string): void => {
    const encoded = encodePart(part, path, place);
    if (encoded === null) return;
    const signature = signatureOf(part) ?? held.take() ?? unsignedImage(part, place);
    parts.push({ ...encoded, ...signed(signature) });
  };

  const pushTranscript = (transcript: string | undefined, path: string): void => {
    const message = 'Earlier audio of another provider was sent as its transcript.';
    place.warnings.push({ code: 'emulated', param: path, message });
    if (transcript !== undefined && transcript !== '') parts.push({ text: transcript });
  };

  const pushCall = (part: ToolCallPart, path: string): void => {
    const demanded = calls === 0 && place.traits.demandsSignatures;
    const known = signatureOf(part) ?? named.get(part.id);
    const signature = known ?? (demanded ? PLACEHOLDER_SIGNATURE : undefined);
    parts.push({ functionCall: encodeCall(part, path), ...signed(signature) });
    calls += 1;
  };

  return {
    push(part, path) {
      if (part.type === 'reasoning') pushReasoning(part);
      else if (part.type === 'tool_call') pushCall(part, path);
      else if (part.type === 'hosted_tool_call' || part.type === 'hosted_tool_result') {
        const hosted = encodeHosted(part, path, place);
        if (hosted !== null) parts.push({ ...hosted, ...signed(signatureOf(part)) });
      } else if (part.type === 'audio' && isSilent(part)) pushTranscript(part.transcript, path);
      else pushOther(part, path);
    },
    end() {
      held.flush();
      return parts;
    },
  };
}

interface HeldSignature {
  /** Of the text or the image before it, or else of the next one. */
  put(signature: string): void;
  take(): string | undefined;
  /** What found no part goes back on one that says nothing: so does Google send it at times. */
  flush(): void;
}

function heldSignature(parts: JsonPart[]): HeldSignature {
  let held: string | undefined;
  const keeper: HeldSignature = {
    put(signature) {
      const last = parts.at(-1);
      if (last !== undefined && isUnsigned(last)) {
        last['thoughtSignature'] = signature;
        return;
      }
      keeper.flush();
      held = signature;
    },
    take() {
      const taken = held;
      held = undefined;
      return taken;
    },
    flush() {
      const signature = keeper.take();
      if (signature !== undefined) parts.push({ text: '', thoughtSignature: signature });
    },
  };
  return keeper;
}

/** A text that was not a thought, or an image, that nobody signed but we. */
function isUnsigned(part: JsonPart): boolean {
  const { thoughtSignature } = part;
  if (part['thought'] === true || !('text' in part || 'inlineData' in part)) return false;
  return thoughtSignature === undefined || thoughtSignature === PLACEHOLDER_SIGNATURE;
}

/** Earlier audio of which only the id and the words came back. */
function isSilent({ source }: AudioPart): boolean {
  return source.kind === 'base64' && source.data === '';
}

function signed(signature: string | undefined): JsonPart {
  return signature === undefined ? {} : { thoughtSignature: signature };
}

/** Images that the model made are signed too. */
function unsignedImage(part: Part, { traits }: TurnPlace): string | undefined {
  return part.type === 'image' && traits.demandsSignatures ? PLACEHOLDER_SIGNATURE : undefined;
}

function encodeCall(part: ToolCallPart, path: string): JsonPart {
  const id = part.idIsOurs === true ? {} : { id: part.id };
  if (part.format === 'text') return { ...id, name: part.name, args: { input: part.arguments } };
  const args: unknown = part.arguments.trim() === '' ? {} : parseJson(part.arguments);
  if (!isRecord(args)) {
    throw new CannotSay(path, `The arguments of "${part.name}" are not a JSON object.`);
  }
  return { ...id, name: part.name, args };
}

type HostedPart = Part & { readonly type: 'hosted_tool_call' | 'hosted_tool_result' };

/** Only what Google's own tools said goes back, and only to a host that takes it. */
function encodeHosted(part: HostedPart, path: string, place: TurnPlace): JsonPart | null {
  const isCode = part.tool === 'code_execution';
  if (part.native?.[GOOGLE] === undefined || !(isCode || place.takesHostedCalls)) {
    const message = 'Calls of hosted tools cannot be told to this provider.';
    place.warnings.push({ code: 'dropped', param: path, message });
    return null;
  }
  const id = textOf(extrasOf(part)['id']);
  const named = id === undefined ? {} : { id };
  if (part.type === 'hosted_tool_call') {
    if (isCode) return { executableCode: { ...recordIn(part.input), ...named } };
    return { toolCall: { ...named, toolType: toolTypeOf(part.tool), args: part.input } };
  }
  if (isCode) return { codeExecutionResult: { ...recordIn(part.output), ...named } };
  return { toolResponse: { ...named, toolType: toolTypeOf(part.tool), response: part.output } };
}

function recordIn(value: unknown): JsonPart {
  return isRecord(value) ? { ...value } : {};
}
