/**
 * Moonshot AI (Kimi). Cached tokens stand at the top of usage; older streams put usage into a
 * choice.
 */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { offers } from './offers.ts';

export const moonshot = openAiFamily({
  id: 'moonshot',
  name: 'Moonshot AI',
  docs: 'https://platform.moonshot.ai/docs/api/chat',
  baseUrl: 'https://api.moonshot.ai/v1',
  env: { apiKey: ['MOONSHOT_API_KEY', 'MOONSHOTAI_API_KEY'] },
  needsKey: true,
  // Nothing public was found (2026-11): taken to bill to the end.
  onCancel: 'bills_on',
  offers,
  habits: {
    // @ai-sdk/moonshotai 2.0.61 sends this name; both are known.
    maxTokensKey: 'max_completion_tokens',
    developerRole: false,
    reasoningField: 'reasoning_content',
  },
});
