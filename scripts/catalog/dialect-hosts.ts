/**
 * Hosts with a dialect of their own: Anthropic, Google, Cohere, and the two clouds that serve
 * models of several labs.
 */
import type { Host } from './host.ts';

/** What a profile's name says about the regions that may call it. */
const PROFILES: readonly (readonly [prefix: string, regions: readonly string[]])[] = [
  // us-east-1 is where a request goes that names no region.
  ['us.', ['us-east', 'us-west', 'ca-', 'default']],
  ['eu.', ['eu-']],
  ['jp.', ['ap-northeast-1', 'ap-northeast-3']],
  ['au.', ['ap-southeast-2', 'ap-southeast-4']],
  ['apac.', ['ap-']],
];

function regionsOfProfile(id: string): readonly string[] | undefined {
  return PROFILES.find(([prefix]) => id.startsWith(prefix))?.[1];
}

const BEDROCK_NEW = [
  'global.anthropic.claude-opus-5',
  'us.anthropic.claude-opus-5',
  'eu.anthropic.claude-opus-5',
  'au.anthropic.claude-opus-5',
  'jp.anthropic.claude-opus-5',
];

/** By litellm, which knows these profiles and models.dev did not. */
const BEDROCK_PROFILES = [
  'us.amazon.nova-lite-v1:0',
  'us.amazon.nova-micro-v1:0',
  'us.amazon.nova-pro-v1:0',
  'us.amazon.nova-premier-v1:0',
  'us.amazon.nova-2-lite-v1:0',
  'global.amazon.nova-2-lite-v1:0',
  'eu.amazon.nova-2-lite-v1:0',
  'eu.amazon.nova-lite-v1:0',
  'eu.amazon.nova-micro-v1:0',
  'eu.amazon.nova-pro-v1:0',
  'us.mistral.pixtral-large-2502-v1:0',
  'eu.mistral.pixtral-large-2502-v1:0',
  'us.meta.llama3-3-70b-instruct-v1:0',
  'us.meta.llama3-1-70b-instruct-v1:0',
  'us.meta.llama3-1-8b-instruct-v1:0',
  'us.meta.llama3-2-1b-instruct-v1:0',
  'us.meta.llama3-2-3b-instruct-v1:0',
  'us.meta.llama3-2-11b-instruct-v1:0',
  'us.meta.llama3-2-90b-instruct-v1:0',
  'us.writer.palmyra-x4-v1:0',
  'us.writer.palmyra-x5-v1:0',
  'mistral.mistral-7b-instruct-v0:2',
  'mistral.mixtral-8x7b-instruct-v0:1',
  'mistral.mistral-large-2402-v1:0',
  'meta.llama3-70b-instruct-v1:0',
  'meta.llama3-8b-instruct-v1:0',
];

export const LAB_HOSTS: readonly Host[] = [
  {
    providerId: 'anthropic',
    title: 'Anthropic',
    dev: 'anthropic',
    genai: 'anthropic',
    litellm: [''],
    page: 'https://platform.claude.com/docs/en/about-claude/pricing',
    // platform.claude.com/docs/en/build-with-claude/batch-processing: half of all usage.
    halfInBatch: 'all',
    more: ['claude-opus-5', 'claude-opus-5-5', 'claude-fable-5-1'],
  },
  {
    providerId: 'gemini',
    title: 'Google (Gemini API)',
    dev: 'google',
    genai: 'google',
    litellm: ['gemini/'],
    media: { providers: ['gemini'], prefix: 'gemini/' },
    // ai.google.dev/gemini-api/docs/pricing, as genai-prices 0.1.8 comments its prices.
    halfInBatch: 'sides',
    // A pointer moves, and no set says to what price.
    except: /-latest$/,
    more: ['gemini-3.5-flash-lite', 'gemini-3.6-flash', 'gemini-3.7-flash', 'gemini-3.8-flash'],
  },
  {
    providerId: 'cohere',
    title: 'Cohere',
    dev: 'cohere',
    genai: 'cohere',
    litellm: [''],
    media: { providers: ['cohere'], prefix: '' },
    // Two generations ago, and one whose price in litellm is a slip of the point.
    except: /embed-.*-v2\.0|embed-multilingual-light/,
  },
  {
    providerId: 'voyage',
    title: 'Voyage AI',
    dev: 'voyage',
    genai: 'voyageai',
    litellm: ['voyage/'],
    media: {
      providers: ['voyage'],
      prefix: 'voyage/',
      // docs.voyageai.com/docs/embeddings
      embedders: {
        'voyage-4': 32_000,
        'voyage-4-large': 32_000,
        'voyage-4-lite': 32_000,
        'voyage-multilingual-2': 32_000,
      },
    },
    // These two have addresses and bodies of their own.
    except: /context|multimodal/,
  },
];

export const CLOUD_HOSTS: readonly Host[] = [
  {
    providerId: 'vertex',
    title: 'Google Vertex AI (Gemini and Claude)',
    dev: 'google-vertex',
    genai: 'google',
    litellm: ['vertex_ai/', ''],
    undated: true,
    page: 'https://cloud.google.com/vertex-ai/generative-ai/pricing',
    media: { providers: ['vertex_ai-embedding-models'], prefix: '' },
    more: [
      'gemini-3.5-flash-lite',
      'gemini-3.6-flash',
      'gemini-3.7-flash',
      'gemini-3.8-flash',
      'claude-opus-5@default',
    ],
    // Open weights there have an OpenAI-compatible path of their own. A pointer moves, and no set
    // says to what price.
    except: /-maas$|-latest$/,
  },
  {
    providerId: 'azure-anthropic',
    title: 'Microsoft Foundry (Claude, by base model)',
    dev: 'azure',
    litellm: ['azure_ai/'],
    page: 'https://azure.microsoft.com/pricing/details/ai-foundry-models/anthropic/',
    only: [
      'claude-fable-5',
      'claude-haiku-4-5',
      'claude-opus-4-5',
      'claude-opus-4-6',
      'claude-opus-4-7',
      'claude-opus-4-8',
      'claude-opus-5',
      'claude-sonnet-4-5',
      'claude-sonnet-4-6',
      'claude-sonnet-5',
    ],
  },
  {
    providerId: 'bedrock',
    facts: 'second',
    title: 'Amazon Bedrock (by model and inference profile)',
    dev: 'amazon-bedrock',
    genai: 'aws',
    litellm: ['', 'bedrock/'],
    undated: true,
    page: 'https://aws.amazon.com/bedrock/pricing/',
    media: { providers: ['bedrock'], prefix: '' },
    more: [...BEDROCK_NEW, ...BEDROCK_PROFILES],
    regions: regionsOfProfile,
    // Makers whose models models.dev and litellm list with profiles: the newer ones have no other
    // way of being called on demand.
    profiles: /anthropic\.|meta\.llama(3-[123]|4)|deepseek\.r1|writer\.|pixtral|\.nova-/,
    // GPT and Grok speak OpenAI's dialect on an endpoint of their own ("mantle").
    except: /^openai\.gpt-[56]|^xai\./,
  },
];
