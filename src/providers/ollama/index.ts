/** Ollama, on one's own machine or in its cloud (`https://ollama.com/v1` with a key). */
import { openAiFamily } from '../dialects/openai-chat/family.ts';
import { offers } from './offers.ts';

export const ollama = openAiFamily({
  id: 'ollama',
  name: 'Ollama',
  docs: 'https://docs.ollama.com/api/openai-compatibility',
  baseUrl: 'http://127.0.0.1:11434/v1',
  // Ollama's own clients take http://127.0.0.1:11434.
  rootPath: '/v1',
  // OLLAMA_API_KEY belongs to the cloud and must not send a local default there: configuration
  // only.
  env: { apiKey: [], baseUrl: ['OLLAMA_BASE_URL'] },
  needsKey: false,
  // The server gives generation up with the connection, and local generation bills nobody.
  onCancel: 'stops',
  offers,
  embeddings: {},
  habits: {
    // docs.ollama.com/api/openai-compatibility (read 2026-11) lists max_tokens and no other name.
    renamesMaxTokens: true,
    developerRole: false,
    reasoningField: 'reasoning',
  },
});
