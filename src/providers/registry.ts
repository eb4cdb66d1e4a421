/** Every provider that OmniX speaks to: one line each. A new one is a folder and a line here. */
import { alibaba } from './alibaba/index.ts';
import { anthropic } from './anthropic/index.ts';
import { azureAnthropic } from './azure-anthropic/index.ts';
import { azureOpenai } from './azure-openai/index.ts';
import { baseten } from './baseten/index.ts';
import { bedrock } from './bedrock/index.ts';
import { cerebras } from './cerebras/index.ts';
import { deepinfra } from './deepinfra/index.ts';
import { cohere } from './cohere/index.ts';
import { deepseek } from './deepseek/index.ts';
import { fireworks } from './fireworks/index.ts';
import { friendli } from './friendli/index.ts';
import { gemini } from './gemini/index.ts';
import { groq } from './groq/index.ts';
import { huggingface } from './huggingface/index.ts';
import { inception } from './inception/index.ts';
import { lmstudio } from './lmstudio/index.ts';
import { minimax } from './minimax/index.ts';
import { mistral } from './mistral/index.ts';
import { moonshot } from './moonshot/index.ts';
import { nanogpt } from './nanogpt/index.ts';
import { nebius } from './nebius/index.ts';
import { novita } from './novita/index.ts';
import { nvidia } from './nvidia/index.ts';
import { ollama } from './ollama/index.ts';
import { openai } from './openai/index.ts';
import { openaiCompatible } from './openai-compatible/index.ts';
import { openrouter } from './openrouter/index.ts';
import { ovhcloud } from './ovhcloud/index.ts';
import { perplexity } from './perplexity/index.ts';
import type { Provider } from './provider.ts';
import { sandbox } from './sandbox/index.ts';
import { scaleway } from './scaleway/index.ts';
import { siliconflow } from './siliconflow/index.ts';
import { stepfun } from './stepfun/index.ts';
import { together } from './together/index.ts';
import { upstage } from './upstage/index.ts';
import { vercel } from './vercel/index.ts';
import { vertex } from './vertex/index.ts';
import { vllm } from './vllm/index.ts';
import { voyage } from './voyage/index.ts';
import { wandb } from './wandb/index.ts';
import { xai } from './xai/index.ts';
import { xiaomi } from './xiaomi/index.ts';
import { zai } from './zai/index.ts';

export const providers = {
  openai,
  anthropic,
  'azure-openai': azureOpenai,
  'azure-anthropic': azureAnthropic,
  bedrock,
  gemini,
  vertex,
  groq,
  deepseek,
  mistral,
  xai,
  together,
  fireworks,
  cerebras,
  cohere,
  voyage,
  perplexity,
  openrouter,
  nvidia,
  moonshot,
  zai,
  alibaba,
  minimax,
  siliconflow,
  deepinfra,
  novita,
  nebius,
  baseten,
  scaleway,
  wandb,
  upstage,
  xiaomi,
  vercel,
  stepfun,
  inception,
  friendli,
  ovhcloud,
  nanogpt,
  huggingface,
  ollama,
  vllm,
  lmstudio,
  'openai-compatible': openaiCompatible,
  sandbox,
} as const satisfies Record<string, Provider>;
