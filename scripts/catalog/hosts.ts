/**
 * The hosts that the catalog covers: where each data set keeps them, which models are left out and
 * why, and what was decided by hand.
 */

export interface Host {
  readonly providerId: string;
  readonly title: string;
  readonly dev: string;
  readonly genai?: string;
  /** Prefixes under which litellm keeps the host's models; the first hit counts. */
  readonly litellm: readonly string[];
  /** The price page, where genai-prices names none or a worse one. */
  readonly page?: string;
  /** Ids that models.dev did not list yet on its date. */
  readonly more?: readonly string[];
  /** Only these, where a host serves more than is used. */
  readonly only?: readonly string[];
  readonly except?: RegExp;
  /** May cost nothing: the host gives these away for good. */
  readonly free?: readonly string[];
}

/**
 * No chat: embeddings, speech, images, guards, rerankers, realtime. They come with their own steps.
 */
export const NOT_CHAT =
  /embed|rerank|whisper|orpheus|tts|prompt-guard|guard-|safety|ocr|image|realtime|transcribe|asr|livetranslate|imagine|video|-mt-|model-router|search-preview|computer-use|instruct$(?<=gpt-3\.5-turbo-instruct)/;

const OPENAI_DATED_NEW = [
  'gpt-5.6-sol',
  'gpt-5.6-terra',
  'gpt-5.6-luna',
  'gpt-6-astra',
  'gpt-6-sol',
  'gpt-6-luna',
];

/**
 * In the order in which offers of the same model are listed: labs' own hosts, open hosts,
 * resellers.
 */
export const HOSTS: readonly Host[] = [
  {
    providerId: 'openai',
    title: 'OpenAI',
    dev: 'openai',
    genai: 'openai',
    litellm: [''],
    more: [
      ...OPENAI_DATED_NEW,
      'gpt-chat-latest',
      'gpt-audio',
      'gpt-audio-1.5',
      'gpt-audio-mini',
      'gpt-4o-2024-08-06',
      'gpt-4o-2024-11-20',
      'gpt-4o-mini-2024-07-18',
      'gpt-4.1-2025-04-14',
      'gpt-4.1-mini-2025-04-14',
      'gpt-5-2025-08-07',
      'gpt-5-mini-2025-08-07',
      'gpt-5-nano-2025-08-07',
      'gpt-5.1-2025-11-13',
      'gpt-5.2-2025-12-11',
      'gpt-5.4-2026-03-05',
      'gpt-5.4-mini-2026-03-17',
      'gpt-5.4-nano-2026-03-17',
      'gpt-5.5-2026-04-23',
      'o3-2025-04-16',
    ],
    // A research preview for ChatGPT subscribers, not in the API.
    except: /codex-spark/,
  },
  {
    providerId: 'deepseek',
    title: 'DeepSeek',
    dev: 'deepseek',
    genai: 'deepseek',
    litellm: ['deepseek/'],
    more: ['deepseek-flash'],
  },
  {
    providerId: 'mistral',
    title: 'Mistral',
    dev: 'mistral',
    genai: 'mistral',
    litellm: ['mistral/'],
    more: [
      'codestral-2508',
      'ministral-3b-2512',
      'ministral-8b-2512',
      'ministral-14b-2512',
      'voxtral-small-2507',
    ],
    // Retired by Mistral in 2025; models.dev still carried them.
    except: /^open-|^mistral-large-2411$|^pixtral-12b$|^mistral-nemo$/,
  },
  {
    providerId: 'xai',
    title: 'xAI',
    dev: 'xai',
    genai: 'x-ai',
    litellm: ['xai/'],
    more: ['grok-4.5', 'grok-4.6'],
  },
  {
    providerId: 'moonshot',
    title: 'Moonshot AI',
    dev: 'moonshotai',
    genai: 'moonshotai',
    litellm: ['moonshot/'],
    page: 'https://platform.kimi.ai/docs/pricing/chat',
    more: ['kimi-k3', 'moonshot-v1-8k', 'moonshot-v1-32k', 'moonshot-v1-128k'],
  },
  {
    providerId: 'zai',
    title: 'Z.AI',
    dev: 'zai',
    genai: 'zai',
    litellm: ['zai/'],
    more: ['glm-5.3', 'glm-5.3-flash'],
    free: ['glm-4.5-flash', 'glm-4.7-flash'],
  },
  {
    providerId: 'alibaba',
    title: 'Alibaba Cloud Model Studio (international)',
    dev: 'alibaba',
    litellm: ['dashscope/'],
    page: 'https://www.alibabacloud.com/help/en/model-studio/models',
    except: /qwen-plus-character/,
  },
  {
    providerId: 'minimax',
    title: 'MiniMax',
    dev: 'minimax',
    genai: 'minimax',
    litellm: ['minimax/'],
  },
  {
    providerId: 'perplexity',
    title: 'Perplexity',
    dev: 'perplexity',
    genai: 'perplexity',
    litellm: ['perplexity/'],
  },
  { providerId: 'groq', title: 'Groq', dev: 'groq', genai: 'groq', litellm: ['groq/'] },
  {
    providerId: 'cerebras',
    title: 'Cerebras',
    dev: 'cerebras',
    genai: 'cerebras',
    litellm: ['cerebras/'],
    more: ['gemma-4-31b'],
  },
  {
    providerId: 'together',
    title: 'Together AI',
    dev: 'togetherai',
    genai: 'together',
    litellm: ['together_ai/'],
    // A second, cheaper copy of google/gemma-4-31B-it by another publisher.
    except: /^pearl-ai/,
  },
  {
    providerId: 'fireworks',
    title: 'Fireworks AI',
    dev: 'fireworks-ai',
    genai: 'fireworks',
    litellm: ['fireworks_ai/'],
    more: [
      'accounts/fireworks/models/kimi-k3',
      'accounts/fireworks/models/qwen3p6-plus',
      'accounts/fireworks/models/nemotron-3-ultra-nvfp4',
      'accounts/fireworks/models/deepseek-v3p2',
      'accounts/fireworks/models/kimi-k2p5',
      'accounts/fireworks/models/minimax-m2p1',
      'accounts/fireworks/models/glm-4p7',
    ],
    // The same router as kimi-k2p6-fast, under its old name.
    except: /k2p6-turbo/,
  },
  {
    providerId: 'siliconflow',
    title: 'SiliconFlow (international)',
    dev: 'siliconflow',
    litellm: ['siliconflow/'],
    page: 'https://siliconflow.com/pricing',
  },
  {
    providerId: 'azure-openai',
    title: 'Azure OpenAI, by base model (global standard)',
    dev: 'azure',
    genai: 'azure',
    litellm: ['azure/', 'azure_ai/'],
    page: 'https://azure.microsoft.com/pricing/details/azure-openai/',
    more: ['gpt-5.5', 'gpt-5.6-sol', 'gpt-5.6-terra', 'gpt-5.6-luna'],
    // Claude and Cohere have endpoints and dialects of their own there; the rest has been retired.
    except:
      /^claude|cohere|^gpt-3\.5|^gpt-4$|^gpt-4-|^o1-mini$|^o1$|^o3-mini$|^o4-mini$|^codex-mini|^phi-3|^meta-llama-3|codestral-2501|^mistral-large-2411|^mistral-nemo|^ministral-3b|^llama-3\.2|-chat$|speciale|^deepseek-r1$|grok-4-1|grok-4-fast/,
  },
  {
    providerId: 'nvidia',
    title: 'NVIDIA NIM (hosted)',
    dev: 'nvidia',
    litellm: ['nvidia_nim/'],
    page: 'https://docs.api.nvidia.com/nim/',
  },
  {
    providerId: 'openrouter',
    title: 'OpenRouter (a selection of the most used)',
    dev: 'openrouter',
    genai: 'openrouter',
    litellm: ['openrouter/'],
    only: [
      'anthropic/claude-haiku-4.5',
      'anthropic/claude-opus-4.5',
      'anthropic/claude-opus-4.6',
      'anthropic/claude-opus-4.7',
      'anthropic/claude-opus-4.8',
      'anthropic/claude-sonnet-4.5',
      'anthropic/claude-sonnet-4.6',
      'anthropic/claude-sonnet-5',
      'cohere/command-a',
      'deepseek/deepseek-chat-v3.1',
      'deepseek/deepseek-r1-0528',
      'deepseek/deepseek-v3.2',
      'deepseek/deepseek-v4-flash',
      'deepseek/deepseek-v4-pro',
      'google/gemini-2.5-flash',
      'google/gemini-2.5-flash-lite',
      'google/gemini-2.5-pro',
      'google/gemini-3-flash-preview',
      'google/gemini-3.1-flash-lite',
      'google/gemini-3.1-pro-preview',
      'google/gemini-3.5-flash',
      'google/gemma-3-27b-it',
      'google/gemma-4-31b-it',
      'meta-llama/llama-3.1-8b-instruct',
      'meta-llama/llama-3.3-70b-instruct',
      'meta-llama/llama-4-maverick',
      'meta-llama/llama-4-scout',
      'microsoft/phi-4',
      'minimax/minimax-m2.5',
      'minimax/minimax-m2.7',
      'minimax/minimax-m3',
      'mistralai/codestral-2508',
      'mistralai/mistral-large-2512',
      'mistralai/mistral-medium-3-5',
      'mistralai/mistral-nemo',
      'mistralai/mistral-small-2603',
      'mistralai/mistral-small-3.2-24b-instruct',
      'moonshotai/kimi-k2.5',
      'moonshotai/kimi-k2.6',
      'moonshotai/kimi-k2.7-code',
      'moonshotai/kimi-k3',
      'nvidia/nemotron-3-super-120b-a12b',
      'nvidia/nemotron-3-ultra-550b-a55b',
      'openai/gpt-4.1',
      'openai/gpt-4.1-mini',
      'openai/gpt-4o',
      'openai/gpt-4o-mini',
      'openai/gpt-5',
      'openai/gpt-5-mini',
      'openai/gpt-5.1',
      'openai/gpt-5.2',
      'openai/gpt-5.4',
      'openai/gpt-5.4-mini',
      'openai/gpt-5.4-nano',
      'openai/gpt-5.5',
      'openai/gpt-5.6-luna',
      'openai/gpt-5.6-sol',
      'openai/gpt-5.6-terra',
      'openai/gpt-6-luna',
      'openai/gpt-6-sol',
      'openai/gpt-oss-120b',
      'openai/gpt-oss-20b',
      'openai/o3',
      'perplexity/sonar',
      'perplexity/sonar-pro',
      'qwen/qwen3-235b-a22b-2507',
      'qwen/qwen3-32b',
      'qwen/qwen3-coder',
      'qwen/qwen3-max',
      'qwen/qwen3-next-80b-a3b-instruct',
      'qwen/qwen3.5-397b-a17b',
      'qwen/qwen3.6-plus',
      'qwen/qwen3.7-max',
      'qwen/qwen3.7-plus',
      'stepfun/step-3.7-flash',
      'x-ai/grok-4.20',
      'x-ai/grok-4.3',
      'x-ai/grok-build-0.1',
      'xiaomi/mimo-v2.5-pro',
      'z-ai/glm-4.6',
      'z-ai/glm-4.7',
      'z-ai/glm-5',
      'z-ai/glm-5.1',
      'z-ai/glm-5.2',
      'z-ai/glm-5.3',
    ],
  },
];
