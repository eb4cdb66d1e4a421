/** Every provider that OmniX speaks to: one line each. A new one is a folder and a line here. */
import { alibaba } from './alibaba/index.ts';
import { azureOpenai } from './azure-openai/index.ts';
import { cerebras } from './cerebras/index.ts';
import { deepseek } from './deepseek/index.ts';
import { fireworks } from './fireworks/index.ts';
import { groq } from './groq/index.ts';
import { huggingface } from './huggingface/index.ts';
import { lmstudio } from './lmstudio/index.ts';
import { minimax } from './minimax/index.ts';
import { mistral } from './mistral/index.ts';
import { moonshot } from './moonshot/index.ts';
import { nvidia } from './nvidia/index.ts';
import { ollama } from './ollama/index.ts';
import { openai } from './openai/index.ts';
import { openaiCompatible } from './openai-compatible/index.ts';
import { openrouter } from './openrouter/index.ts';
import { perplexity } from './perplexity/index.ts';
import type { Provider } from './provider.ts';
import { sandbox } from './sandbox/index.ts';
import { siliconflow } from './siliconflow/index.ts';
import { together } from './together/index.ts';
import { vllm } from './vllm/index.ts';
import { xai } from './xai/index.ts';
import { zai } from './zai/index.ts';

export const providers = {
  openai,
  'azure-openai': azureOpenai,
  groq,
  deepseek,
  mistral,
  xai,
  together,
  fireworks,
  cerebras,
  perplexity,
  openrouter,
  nvidia,
  moonshot,
  zai,
  alibaba,
  minimax,
  siliconflow,
  huggingface,
  ollama,
  vllm,
  lmstudio,
  'openai-compatible': openaiCompatible,
  sandbox,
} as const satisfies Record<string, Provider>;
