/** How a provider speaks chat, for tests that read or write its dialect without a gateway. */
import type { ChatSupport, PassThrough, Provider } from '#providers/provider.ts';

/** What it says of a model; any will do where the model does not matter. */
export function chatSupportOf(provider: Provider, model = 'any-model'): ChatSupport {
  const baseUrl = provider.baseUrl ?? 'https://host.invalid';
  const target = { baseUrl, model, region: null, project: null, account: null };
  const chat = typeof provider.chat === 'function' ? provider.chat(target) : provider.chat;
  if (chat === undefined) throw new Error(`${provider.id} has no chat`);
  return chat;
}

export function passThroughOf(provider: Provider): ChatSupport & {
  readonly passThrough: PassThrough;
} {
  const chat = chatSupportOf(provider);
  if (chat.passThrough === undefined) throw new Error(`${provider.id} passes nothing through`);
  return { ...chat, passThrough: chat.passThrough };
}
