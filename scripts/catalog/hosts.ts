/**
 * The hosts that the catalog covers: where each data set keeps them, which models are left out and
 * why, and what was decided by hand.
 */
import { CLOUD_HOSTS, LAB_HOSTS } from './dialect-hosts.ts';
import type { Host } from './host.ts';
import { OPEN_HOSTS } from './open-hosts.ts';

/**
 * No chat: embeddings, speech, images, guards, rerankers, realtime. They come with their own steps.
 */
export const NOT_CHAT =
  /embed|rerank|whisper|orpheus|tts|prompt-guard|(?<!safe)guard-|safety|ocr|image|realtime|transcribe|asr|livetranslate|imagine|video|-mt-|model-router|search-preview|computer-use|instruct$(?<=gpt-3\.5-turbo-instruct)/;

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
    responses: true,
    media: { providers: ['openai'], prefix: '' },
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
  ...LAB_HOSTS,
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
    media: { providers: ['mistral'], prefix: 'mistral/' },
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
    media: { providers: ['minimax'], prefix: 'minimax/' },
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
  {
    providerId: 'groq',
    title: 'Groq',
    dev: 'groq',
    genai: 'groq',
    litellm: ['groq/'],
    media: { providers: ['groq'], prefix: 'groq/' },
  },
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
    media: { providers: ['together_ai'], prefix: 'together_ai/' },
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
    media: { providers: ['azure'], prefix: 'azure/' },
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
  ...CLOUD_HOSTS,
  ...OPEN_HOSTS,
  {
    providerId: 'openrouter',
    title: 'OpenRouter',
    dev: 'openrouter',
    genai: 'openrouter',
    litellm: ['openrouter/'],
    reseller: true,
    more: [
      'moonshotai/kimi-k3',
      'openai/gpt-5.6-luna',
      'openai/gpt-5.6-sol',
      'openai/gpt-5.6-terra',
      'openai/gpt-6-luna',
      'openai/gpt-6-sol',
      'anthropic/claude-opus-5',
      'anthropic/claude-opus-5.5',
      'anthropic/claude-fable-5.1',
      'z-ai/glm-5.3',
      'z-ai/glm-5.3-flash',
    ],
    // Variants of a model and routers over models, which have no price of their own.
    except: /:|^openrouter\/|^switchpoint\/|~|-fast$/,
  },
];
