/**
 * Writes a request of the common form as a caller of the chat door would: OpenAI's own words, and
 * those of OpenRouter's, Anthropic's and Google's clients where OpenAI has none. It tells what even
 * so finds no place in chat, and is used to bring recorded requests of other dialects to this door.
 */
import type {
  ChatForm,
  MediaSource,
  Part,
  ReasoningPart,
  Tool,
  ToolCallPart,
  ToolChoice,
  ToolResultPart,
  Turn,
} from '#providers/form.ts';

export interface ChatWriting {
  readonly body: Readonly<Record<string, unknown>>;
  /** What the form holds and chat has no place for, in words without indices. */
  readonly lost: ReadonlySet<string>;
}

type Body = Record<string, unknown>;

const FORMATS: Readonly<Record<string, string>> = {
  anthropic: 'anthropic-claude-v1',
  google: 'google-gemini-v1',
  bedrock: 'bedrock-converse-v1',
  cohere: 'cohere-v2',
};

export function writeChat(form: ChatForm, model: string): ChatWriting {
  const lost = new Set<string>();
  // Settings without a word in chat go as members of their own, as clients' `extra_body` does it.
  const own: Body = {};
  for (const fields of Object.values(form.native)) Object.assign(own, fields);
  const { sampling } = form;
  const body = present({
    model,
    messages: joined(form.turns).flatMap((turn) => writeTurn(turn, lost)),
    tools: form.tools.length === 0 ? undefined : form.tools.map(writeTool),
    tool_choice: form.toolChoice === undefined ? undefined : writeChoice(form.toolChoice),
    parallel_tool_calls: form.parallelToolCalls,
    response_format: writeOutput(form),
    ...writeReasoning(form),
    modalities: form.modalities.join() === 'text' ? undefined : form.modalities,
    audio: form.audioOutput,
    verbosity: form.verbosity,
    temperature: sampling.temperature,
    top_p: sampling.topP,
    top_k: sampling.topK,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
    seed: sampling.seed,
    stop: sampling.stop,
    logit_bias: sampling.logitBias,
    logprobs: sampling.logprobs,
    top_logprobs: sampling.topLogprobs,
    max_completion_tokens: form.maxOutputTokens,
    n: form.choices > 1 ? form.choices : undefined,
    stream: form.stream ? true : undefined,
    service_tier: form.serviceTier,
    store: form.store,
    prompt_cache_key: form.promptCacheKey,
    user: form.endUser,
    metadata: form.metadata,
    ...own,
  });
  if (form.continues !== undefined) lost.add(`state ${form.continues.kind}`);
  return { body, lost };
}

/** Neighbouring turns of the assistant are one answer; chat wants results right after calls. */
function joined(turns: readonly Turn[]): readonly Turn[] {
  const kept: Turn[] = [];
  for (const turn of turns) {
    const last = kept.at(-1);
    if (turn.role === 'assistant' && last?.role === 'assistant') {
      kept[kept.length - 1] = { ...last, parts: [...last.parts, ...turn.parts] };
    } else kept.push(turn);
  }
  return kept;
}

function present(members: Body): Body {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

function writeTool(tool: Tool): Body {
  if (tool.kind === 'hosted') {
    const config: unknown = tool.config;
    return { ...(typeof config === 'object' ? config : {}), type: tool.tool };
  }
  const { name, description } = tool;
  if (tool.kind === 'custom') {
    const format =
      tool.grammar === undefined ? undefined : { type: 'grammar', grammar: tool.grammar };
    return { type: 'custom', custom: present({ name, description, format }) };
  }
  const { parameters, strict } = tool;
  const said = present({ name, description, parameters, strict });
  return { type: 'function', function: said, ...writeCache(tool) };
}

function writeCache({ cache }: Pick<Part, 'cache'>): Body {
  if (cache === undefined) return {};
  const ttl = cache.lifetime === '1h' ? { ttl: '1h' } : {};
  return { cache_control: { type: 'ephemeral', ...ttl } };
}

function writeChoice(choice: ToolChoice): unknown {
  if (choice.mode === 'one') {
    if (choice.kind === 'hosted') return { type: choice.name };
    return { type: choice.kind, [choice.kind]: { name: choice.name } };
  }
  if (choice.mode !== 'among') return choice.mode;
  const tools = choice.names.map((name) => ({ type: 'function', function: { name } }));
  const mode = choice.required ? 'required' : 'auto';
  return { type: 'allowed_tools', allowed_tools: { mode, tools } };
}

function writeOutput({ output }: ChatForm): unknown {
  if (output.kind === 'text') return undefined;
  if (output.kind === 'json') return { type: 'json_object' };
  const { name, description, schema, strict } = output;
  return { type: 'json_schema', json_schema: present({ name, description, schema, strict }) };
}

/** OpenAI's word where it says all, else Anthropic's and OpenRouter's. */
function writeReasoning({ reasoning }: ChatForm): Body {
  const { effort, budgetTokens, adaptive, show } = reasoning;
  const display = show === 'none' ? 'omitted' : show === 'summary' ? 'summarized' : undefined;
  const type = adaptive === true ? 'adaptive' : budgetTokens === undefined ? undefined : 'enabled';
  const thinking =
    type === undefined ? undefined : present({ type, budget_tokens: budgetTokens, display });
  const exclude = type === undefined && show === 'none' ? { exclude: true } : undefined;
  const summary = type === undefined && show === 'summary' ? { summary: 'auto' } : undefined;
  const said = exclude ?? summary;
  return { reasoning_effort: effort, thinking, reasoning: said };
}

function writeTurn(turn: Turn, lost: Set<string>): readonly Body[] {
  if (turn.role === 'assistant') return writeAssistant(turn, lost);
  const messages: Body[] = [];
  let said: Part[] = [];
  const flush = () => {
    if (said.length === 0) return;
    const role = turn.role === 'tool' ? 'user' : turn.role;
    messages.push(present({ role, name: turn.name, content: writeContent(said, lost) }));
    said = [];
  };
  for (const part of turn.parts) {
    if (part.type !== 'tool_result') {
      said.push(part);
      continue;
    }
    flush();
    messages.push(writeResult(part, lost));
  }
  flush();
  return messages;
}

function writeResult(part: ToolResultPart, lost: Set<string>): Body {
  const texts = part.content.filter((piece) => piece.type === 'text');
  const plain = texts.length === part.content.length && texts.length < 2 && !hasNative(part);
  return present({
    role: 'tool',
    tool_call_id: part.callId,
    content: plain ? (texts[0]?.text ?? '') : writeContent(part.content, lost),
    is_error: part.isError,
    ...writeCache(part),
  });
}

function hasNative(part: Part): boolean {
  return part.native !== undefined;
}

/** An assistant's message while it is put together. */
interface Draft {
  readonly message: Body;
  readonly said: Part[];
  readonly details: Body[];
  readonly calls: Body[];
}

function writeAssistant(turn: Turn, lost: Set<string>): readonly Body[] {
  const draft: Draft = { message: { role: 'assistant' }, said: [], details: [], calls: [] };
  let place = 0;
  let inText = false;
  for (const part of turn.parts) {
    if (part.type.startsWith('hosted_tool')) {
      lost.add(`part ${part.type}`);
      continue;
    }
    const isText = isSaid(part);
    // What was said counts as one place, each call as one, each block of reasoning as one.
    if (!isText || !inText) place += 1;
    inText = isText;
    if (!addPart(draft, part, place - 1)) lost.add(`part ${part.type}`);
  }
  const { message, said, details, calls } = draft;
  // Nothing is left of an answer that held only what chat has no place for.
  const held = said.length + details.length + calls.length;
  if (held === 0 && Object.keys(message).length === 1 && turn.parts.length > 0) return [];
  const whole = {
    ...message,
    content: said.length === 0 ? null : writeContent(said, lost),
    reasoning_details: details.length === 0 ? undefined : details,
    tool_calls: calls.length === 0 ? undefined : calls,
    extra_content: extraOf(said.at(-1)),
  };
  return [present(whole)];
}

/** False where chat has no place for the part. */
function addPart({ message, said, details, calls }: Draft, part: Part, place: number): boolean {
  if (part.type === 'reasoning') details.push(...writeDetails(part, place));
  else if (part.type === 'tool_call') calls.push(writeCall(part));
  else if (part.type === 'refusal') message['refusal'] = part.text;
  else if (part.type === 'audio' && part.id !== undefined) message['audio'] = { id: part.id };
  else if (isSaid(part)) said.push(part);
  else return false;
  return true;
}

function isSaid(part: Part): boolean {
  return ['text', 'image', 'file', 'video'].includes(part.type);
}

function writeDetails(part: ReasoningPart, index: number): readonly Body[] {
  const maker = Object.keys(part.native ?? {}).find((key) => key in FORMATS);
  const format = maker === undefined ? undefined : FORMATS[maker];
  const { signature, id, text, encrypted } = part;
  const rest = present({ format, index, id });
  const details: Body[] = [];
  if (text !== '' || signature !== undefined) {
    const words = part.summary
      ? { type: 'reasoning.summary', summary: text }
      : { type: 'reasoning.text', text };
    details.push(present({ ...words, signature, ...rest }));
  }
  if (encrypted !== undefined) {
    details.push({ type: 'reasoning.encrypted', data: encrypted, ...rest });
  }
  return details;
}

/** Google's own shape for what its calls carry besides. */
function writeCall(part: ToolCallPart): Body {
  const { id, name, arguments: text } = part;
  const extra = extraOf(part);
  const said =
    part.format === 'text'
      ? { type: 'custom', custom: { name, input: text } }
      : { type: 'function', function: { name, arguments: text } };
  return {
    id,
    ...said,
    ...(extra === undefined ? {} : { extra_content: extra }),
    ...writeCache(part),
  };
}

function extraOf(part: Part | undefined): unknown {
  return part === undefined || part.native === undefined ? undefined : part.native;
}

function writeContent(parts: readonly Part[], lost: Set<string>): unknown {
  const [only] = parts;
  if (parts.length === 1 && only?.type === 'text' && only.cache === undefined) return only.text;
  return parts.flatMap((part) => {
    const content = writePart(part);
    if (content === null) lost.add(`part ${part.type}, ${sourceOf(part)}`);
    return content === null ? [] : [{ ...content, ...writeCache(part) }];
  });
}

function sourceOf(part: Part): string {
  return 'source' in part && part.source.kind === 'file_id' ? 'uploaded' : 'as such';
}

function writePart(part: Part): Body | null {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'image':
      if (part.source.kind === 'file_id') return null;
      return {
        type: 'image_url',
        image_url: present({ url: addressOf(part.source), detail: part.detail }),
      };
    case 'video':
      return { type: 'video_url', video_url: { url: addressOf(part.source) } };
    case 'audio':
      return writeAudio(part.source);
    case 'file':
      return {
        type: 'file',
        file: present({ filename: part.filename, ...fileOf(part.source) }),
        ...(part.citable === true ? { citations: { enabled: true } } : {}),
        ...(part.context === undefined ? {} : { context: part.context }),
      };
    default:
      return null;
  }
}

function writeAudio(source: MediaSource): Body {
  if (source.kind !== 'base64') {
    return { type: 'audio_url', audio_url: { url: addressOf(source) } };
  }
  const format = source.mediaType === 'audio/mpeg' ? 'mp3' : source.mediaType.replace('audio/', '');
  return { type: 'input_audio', input_audio: { data: source.data, format } };
}

function fileOf(source: MediaSource): Body {
  if (source.kind === 'file_id') return { file_id: source.fileId };
  return { file_data: addressOf(source) };
}

function addressOf(source: MediaSource): string {
  if (source.kind === 'url') return source.url;
  if (source.kind === 'file_id') return source.fileId;
  return `data:${source.mediaType};base64,${source.data}`;
}
