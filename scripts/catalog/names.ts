/**
 * One public id per model, whatever its hosts call it, and who made it. Rules for what hosts do to
 * names everywhere, a table for the rest; `derive.ts` prints the groups, so that a wrong one is
 * seen.
 */

/** After the rules. Left: what they make of a host's id; right: the public id. */
const RENAMED: Readonly<Record<string, string>> = {
  'llama-3.1-8b-instant': 'llama-3.1-8b',
  'llama-3.3-70b-versatile': 'llama-3.3-70b',
  'llama-4-scout-17b-16e': 'llama-4-scout',
  'llama-4-maverick-17b-128e': 'llama-4-maverick',
  'llama-3-8b-lite': 'llama-3-8b',
  'llama-3.2-11b-vision': 'llama-3.2-11b',
  'llama-3.2-90b-vision': 'llama-3.2-90b',
  'deepseek-chat-v3-0324': 'deepseek-v3-0324',
  'deepseek-chat-v3.1': 'deepseek-v3.1',
  'deepseek-v3-1': 'deepseek-v3.1',
  'qwen-2.5-72b': 'qwen2.5-72b',
  'qwen-2.5-7b': 'qwen2.5-7b',
  'qwen-2.5-coder-32b': 'qwen2.5-coder-32b',
  'qwen2-5-72b': 'qwen2.5-72b',
  'qwen2-5-32b': 'qwen2.5-32b',
  'qwen2-5-14b': 'qwen2.5-14b',
  'qwen2-5-7b': 'qwen2.5-7b',
  'qwen2-5-vl-72b': 'qwen2.5-vl-72b',
  'qwen2-5-vl-7b': 'qwen2.5-vl-7b',
  'qwen2-5-omni-7b': 'qwen2.5-omni-7b',
  'qwen3-coder': 'qwen3-coder-480b-a35b',
  'qwen3-235b-a22b-2507': 'qwen3-235b-a22b-instruct-2507',
  'mistral-large-3-675b-2512': 'mistral-large-2512',
  'mistral-small-4-119b-2603': 'mistral-small-2603',
  'mistral-small-3.2-24b': 'mistral-small-2506',
  'mistral-small-3.1-24b': 'mistral-small-2503',
  'mistral-medium-3': 'mistral-medium-2505',
  'mistral-medium-3.1': 'mistral-medium-2508',
  'mistral-medium-3-5': 'mistral-medium-2604',
  'mixtral-8x22b': 'mixtral-8x22b',
  'open-mistral-nemo': 'mistral-nemo',
  'nemotron-3-ultra': 'nemotron-3-ultra-550b-a55b',
  'zai-glm-4.7': 'glm-4.7',
  'gpt-5-chat': 'gpt-5-chat-latest',
  'gpt-5.1-chat': 'gpt-5.1-chat-latest',
  'gpt-5.2-chat': 'gpt-5.2-chat-latest',
  'gpt-5.3-chat': 'gpt-5.3-chat-latest',
  'kimi-k2-0905-preview': 'kimi-k2-0905',
  'grok-4-20-reasoning': 'grok-4.20-0309-reasoning',
  'grok-4-20-non-reasoning': 'grok-4.20-0309-non-reasoning',
  'grok-4.20-multi-agent': 'grok-4.20-multi-agent-0309',
  'claude-sonnet-4': 'claude-sonnet-4-0',
  'claude-opus-4': 'claude-opus-4-0',
  'mistral-large-3-675b': 'mistral-large-2512',
  'mistral-large-3': 'mistral-large-2512',
  'mistral-large-3-675b-instruct-2512': 'mistral-large-2512',
  'mistral-small-3.2-24b-instruct-2506': 'mistral-small-2506',
  'mistral-nemo-instruct-2407': 'mistral-nemo',
  'mixtral-8x7b-instruct-v0.1': 'mixtral-8x7b',
  'mixtral-8x22b-instruct-v0.1': 'mixtral-8x22b',
  'ministral-14b-instruct-2512': 'ministral-14b-2512',
  'kimi-k2-instruct-0905': 'kimi-k2-0905',
  'kimi-k2-instruct-0711': 'kimi-k2',
  'ministral-3-3b': 'ministral-3b-2512',
  'ministral-3-8b': 'ministral-8b-2512',
  'ministral-3-14b': 'ministral-14b-2512',
  'mistral-small-24b-instruct-2501': 'mistral-small-2501',
  'mistral-small-3.1': 'mistral-small-2503',
  'devstral-2-123b': 'devstral-2512',
  'devstral-2-123b-instruct-2512': 'devstral-2512',
  'voxtral-small-24b-2507': 'voxtral-small-2507',
  'nemotron-super-3-120b': 'nemotron-3-super-120b-a12b',
  'nemotron-nano-3-30b': 'nemotron-3-nano-30b-a3b',
  'nemotron-3-super': 'nemotron-3-super-120b-a12b',
  'nemotron-3-nano': 'nemotron-3-nano-30b-a3b',
  'qwen3-coder-plus-07-22': 'qwen3-coder-plus',
  'qwen3-235b-a22b-2507-tput': 'qwen3-235b-a22b-instruct-2507',
  'llama-4-scout-17b': 'llama-4-scout',
  'llama-4-maverick-17b': 'llama-4-maverick',
  'llama-3.1-70b-versatile': 'llama-3.1-70b',
  'kimi-k2-0711': 'kimi-k2',
  'deepseek-v3.2-exp': 'deepseek-v3.2-exp',
  'cogito-v2-1-671b': 'cogito-v2.1-671b',
  'hunyuan-a13b': 'hunyuan-a13b',
  'laguna-m.1': 'laguna-m.1',
};

const LABS: readonly (readonly [pattern: RegExp, lab: string])[] = [
  [/^(gpt-|o\d|chatgpt|codex-)/, 'openai'],
  [/^claude-/, 'anthropic'],
  [/^(gemini|gemma)-/, 'google'],
  [/nemotron/, 'nvidia'],
  [/^llama-/, 'meta'],
  [/^(mistral|mixtral|ministral|codestral|devstral|magistral|pixtral|voxtral)-/, 'mistral'],
  [/^deepseek-/, 'deepseek'],
  [/^(qwen|qwq|qvq)/, 'qwen'],
  [/^(kimi|moonshot)-/, 'moonshotai'],
  [/^glm-/, 'zai'],
  [/^grok-/, 'xai'],
  [/^(minimax|m2-her)/, 'minimax'],
  [/^sonar/, 'perplexity'],
  [/^phi-/, 'microsoft'],
  [/^step-/, 'stepfun'],
  [/^(seed-|ui-tars)/, 'bytedance'],
  [/^ernie-/, 'baidu'],
  [/^(hunyuan|hy3)/, 'tencent'],
  [/^(ling|ring)-/, 'inclusionai'],
  [/^lfm/, 'liquid'],
  [/^rnj-/, 'essentialai'],
  [/^cogito-/, 'deepcogito'],
  [/^mimo-/, 'xiaomi'],
  [/^command-/, 'cohere'],
  [/^nova-/, 'amazon'],
  [/^hermes-/, 'nousresearch'],
  [/^(inkling)/, 'thinkingmachines'],
  [/^text-embedding-(3|ada)/, 'openai'],
  [/^text-(multilingual-)?embedding-/, 'google'],
  [/^(embed-|north-|c4ai-)/, 'cohere'],
  [/^titan-/, 'amazon'],
  [/^voyage-/, 'voyage'],
  [/^palmyra-/, 'writer'],
  [/^jamba-/, 'ai21'],
  [/^bge-/, 'baai'],
  [/e5-(base|large|mistral)/, 'intfloat'],
  [/^nomic-/, 'nomic'],
  [/^solar-/, 'upstage'],
  [/^mercury-/, 'inception'],
  [/^(tts-1|whisper-)/, 'openai'],
  [/^speech-/, 'minimax'],
  [/^flux/, 'blackforestlabs'],
  [/^mai-/, 'microsoft'],
  [/^(stable-image|sd3)/, 'stability'],
];

/** How hosts that write `<maker>/<model>` write a lab, where it is not our name of it. */
const MAKERS: Readonly<Record<string, string>> = {
  'meta-llama': 'meta',
  mistralai: 'mistral',
  'x-ai': 'xai',
  'z-ai': 'zai',
  thudm: 'zai',
  'arcee-ai': 'arcee',
  'aion-labs': 'aion',
  rekaai: 'reka',
  'anthracite-org': 'anthracite',
  'bytedance-seed': 'bytedance',
  'ibm-granite': 'ibm',
};

/** Bedrock's form, `<profile>.<maker>.<model>-v1:0`, and Vertex's, `<model>@<version>`. */
function withoutCloud(id: string): string {
  return id
    .replace(/^(?:us|eu|jp|au|apac|global)\.(?=[a-z0-9]+\.)/, '')
    .replace(/^deepseek\.(?=[rv]\d)/, 'deepseek-')
    .replace(/^(?:ai21|amazon|anthropic|cohere|google|meta|minimax|mistral|stability)\./, '')
    .replace(/^(?:moonshot|moonshotai|nvidia|openai|qwen|writer|xai|zai)\./, '')
    .replace(/^deepseek-v3-v1:0$/, 'deepseek-v3.1')
    .replace(/^embed-v4:0$/, 'embed-v4.0')
    .replace(/(?:-v\d+:\d+|-\d:0|:0)$/, '')
    .replace(/^((?:claude|nova)-.*)-v1$/, '$1')
    .replace(/@default$/, '')
    .replace(/@(?=\d{8}$)/, '-');
}

/** The public id of a model that a host calls `upstreamId`. */
export function publicIdOf(upstreamId: string): string {
  const last = withoutCloud(upstreamId.toLowerCase().split('/').at(-1) ?? '');
  const plain = last
    .replace(/^meta-llama-/, 'llama-')
    .replace(/^nvidia-nemotron-/, 'nemotron-')
    // Fireworks and NVIDIA write points as letters or underscores.
    .replace(/(\d)[p_](\d)/g, '$1.$2')
    .replace(/^(llama|qwen)-?v(?=\d)/, '$1-')
    .replace(/^llama(?=\d)/, 'llama-')
    .replace(/^(llama-\d)-(?=\d-\d+b)/, '$1.')
    .replace(/^claude-.*/, (name) => name.replaceAll('.', '-'))
    .replace(/-(?:fp8|nvfp4|tput|hf)$/, '')
    .replace(/-(?:instruct-turbo|instruct-basic|instruct-lite|instruct|it)$/, (suffix) =>
      suffix === '-instruct-lite' ? '-lite' : '',
    );
  return RENAMED[plain] ?? plain;
}

/**
 * Who made the model with this public id: by its name, else by the maker that the host writes
 * before it; null where neither is known.
 */
export function labOf(publicId: string, upstreamId = ''): string | null {
  const byName = LABS.find(([pattern]) => pattern.test(publicId))?.[1];
  if (byName !== undefined) return byName;
  const [maker = '', rest] = upstreamId.toLowerCase().split('/');
  if (rest === undefined || maker === 'accounts') return null;
  return MAKERS[maker] ?? maker;
}
