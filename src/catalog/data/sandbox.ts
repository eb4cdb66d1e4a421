/** Facts of the sandbox's models: they answer without any provider account, against test credit. */
import type { ModelFacts } from '../models.ts';

const CREATED = 1_795_132_800; // 2026-11-20

function sandboxModel(id: string, name: string, more: Partial<ModelFacts> = {}): ModelFacts {
  return {
    id,
    lab: 'sandbox',
    name,
    created: CREATED,
    context: 131_072,
    maxOutput: 32_768,
    input: ['text'],
    output: ['text'],
    capabilities: [],
    aliases: [],
    ...more,
  };
}

export const sandboxModels: readonly ModelFacts[] = [
  sandboxModel('sandbox/echo', 'Sandbox Echo'),
  sandboxModel('sandbox/tools', 'Sandbox Tools', { capabilities: ['tools'] }),
  sandboxModel('sandbox/slow', 'Sandbox Slow'),
  sandboxModel('sandbox/error', 'Sandbox Error'),
  sandboxModel('sandbox/embedding', 'Sandbox Embedding', {
    maxOutput: null,
    output: ['embedding'],
  }),
];
