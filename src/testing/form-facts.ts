/**
 * A request of the common form as single facts, so that two requests can be compared by what they
 * say and not by how they are cut into turns: each fact has a kind, a value, and the caller's field
 * in which it stood.
 */
import type {
  ChatForm,
  MediaSource,
  Part,
  ReasoningPart,
  Tool,
  ToolResultPart,
} from '#providers/form.ts';
import { parse } from './recordings-json.ts';

export interface Fact {
  readonly kind: string;
  readonly value: string;
  /** The caller's field, as warnings name it. */
  readonly param: string;
}

/** Every fact. `maker` is the dialect key whose reasoning counts as its own. */
export function factsOf(form: ChatForm, maker: string): Fact[] {
  const facts: Fact[] = [];
  for (const turn of form.turns) {
    const path = turn.path ?? '';
    if (turn.name !== undefined) facts.push(fact('name of a speaker', turn.name, `${path}.name`));
    for (const part of turn.parts) {
      const place = part.path ?? path;
      facts.push(...partFacts(part, maker, place).map((found) => inRole(found, turn.role)));
      if (part.cache !== undefined) {
        facts.push(fact(`cache hint, ${part.cache.lifetime}`, part.type, `${place}.cache_control`));
      }
    }
  }
  return [...facts, ...form.tools.flatMap(toolFacts), ...settingFacts(form)];
}

function fact(kind: string, value: unknown, param: string): Fact {
  return { kind, value: JSON.stringify(value) ?? '', param };
}

/** Who said it matters of texts. */
function inRole(found: Fact, role: string): Fact {
  return found.kind === 'text' ? { ...found, kind: `text of role ${role}` } : found;
}

function partFacts(part: Part, maker: string, path: string): Fact[] {
  switch (part.type) {
    case 'text':
      return [fact('text', part.text, path)];
    case 'refusal':
      return [fact('refusal', part.text, path)];
    case 'reasoning':
      return [
        fact(
          reasoningKind(part, maker),
          [part.text, part.signature, part.encrypted],
          `${path}.reasoning`,
        ),
      ];
    case 'image':
      return [
        ...mediaFacts('image', part.source, path),
        ...(part.detail === undefined
          ? []
          : [fact('detail of an image', part.detail, `${path}.image_url.detail`)]),
      ];
    case 'file':
      return [
        ...mediaFacts('file', part.source, path),
        ...(part.filename === undefined
          ? []
          : [fact('name of a file', part.filename, `${path}.file.filename`)]),
      ];
    case 'audio':
    case 'video':
      return mediaFacts(part.type, part.source, path);
    case 'tool_call':
      return [
        fact('tool call', [part.name, parse(part.arguments)], path),
        fact('id of a tool call', part.id, path),
      ];
    case 'tool_result':
      return resultFacts(part, path);
    default:
      return [fact(part.type, part, path)];
  }
}

function reasoningKind(part: ReasoningPart, maker: string): string {
  const own = part.native !== undefined && maker in part.native;
  if (!own) return 'reasoning of another maker';
  if (part.encrypted !== undefined) return 'its own reasoning, encrypted';
  return `its own reasoning, ${part.signature === undefined ? 'un' : ''}signed`;
}

function mediaFacts(what: string, source: MediaSource, path: string): Fact[] {
  if (source.kind === 'base64') {
    return [fact(`${what}, inline`, [source.mediaType, source.data], path)];
  }
  if (source.kind === 'url') return [fact(`${what}, by address`, source.url, path)];
  return [fact(`${what}, uploaded before`, source.fileId, path)];
}

function resultFacts(part: ToolResultPart, path: string): Fact[] {
  const texts = part.content.flatMap((piece) => (piece.type === 'text' ? [piece.text] : []));
  const media = part.content.filter((piece) => piece.type !== 'text');
  return [
    fact('tool result, text', [part.callId, texts.join('\n')], path),
    ...media.map((piece) =>
      fact(`tool result, ${mediaWord(piece)}`, part.callId, piece.path ?? path),
    ),
    ...(part.isError === true ? [fact('tool result, error', part.callId, `${path}.is_error`)] : []),
  ];
}

function mediaWord(piece: ToolResultPart['content'][number]): string {
  const inline = 'source' in piece && piece.source.kind === 'base64';
  return `${piece.type} ${inline ? 'inline' : 'by address'}`;
}

function toolFacts(tool: Tool): Fact[] {
  if (tool.kind !== 'function') return [fact(`${tool.kind} tool`, tool, 'tools')];
  const { name, description, parameters, strict, cache } = tool;
  return [
    fact('tool', name, 'tools'),
    fact('parameters of a tool', [name, parameters], 'tools'),
    ...(description === undefined
      ? []
      : [fact('description of a tool', [name, description], 'tools')]),
    ...(strict === true ? [fact('strict tool', name, 'tools')] : []),
    ...(cache === undefined
      ? []
      : [fact(`cache hint, ${cache.lifetime}`, 'tool', 'tools[].cache_control')]),
  ];
}

const SAMPLING = {
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  seed: 'seed',
  stop: 'stop',
  logitBias: 'logit_bias',
  logprobs: 'logprobs',
} as const;

const WISHES = {
  verbosity: 'verbosity',
  maxOutputTokens: 'max_completion_tokens',
  promptCacheKey: 'prompt_cache_key',
  endUser: 'user',
  metadata: 'metadata',
} as const;

function settingFacts(form: ChatForm): Fact[] {
  const { output, toolChoice, parallelToolCalls } = form;
  const facts: Fact[] = [];
  const add = (kind: string, value: unknown, param = kind) => {
    if (value !== undefined) facts.push(fact(kind, value, param));
  };
  for (const key of keysOf(SAMPLING)) add(SAMPLING[key], form.sampling[key]);
  for (const key of keysOf(WISHES)) add(WISHES[key], form[key]);
  if (output.kind === 'json') add('json mode', true, 'response_format');
  if (output.kind === 'json_schema') add('json schema', output.schema, 'response_format');
  if (toolChoice !== undefined && toolChoice.mode !== 'auto') {
    add(`tool_choice, ${toolChoice.mode}`, toolChoice, 'tool_choice');
  }
  if (parallelToolCalls === false) add('one tool call at a time', true, 'parallel_tool_calls');
  // What is everybody's default is said by saying nothing.
  if (form.store === true) add('store', true);
  if (form.serviceTier !== 'auto') add('service_tier', form.serviceTier);
  if (form.choices > 1) add('n', form.choices);
  return [...facts, ...reasoningFacts(form.reasoning)];
}

function reasoningFacts({ effort, adaptive, budgetTokens }: ChatForm['reasoning']): Fact[] {
  const facts: Fact[] = [];
  if (effort === 'none') facts.push(fact('no reasoning', true, 'reasoning_effort'));
  else if (effort !== undefined) facts.push(fact('reasoning effort', effort, 'reasoning_effort'));
  if (adaptive === true) {
    facts.push(fact('reasoning, as much as the model likes', true, 'reasoning'));
  }
  if (budgetTokens !== undefined) facts.push(fact('reasoning budget', budgetTokens, 'reasoning'));
  return facts;
}

function keysOf<Key extends string>(record: Readonly<Record<Key, unknown>>): readonly Key[] {
  const keys: Key[] = [];
  for (const key in record) keys.push(key);
  return keys;
}
