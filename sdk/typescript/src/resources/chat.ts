/** `client.chat`: as users of OpenAI's client know it. */
import type { Caller } from '../caller.ts';
import { ChatStream } from '../chat-stream.ts';
import type { ChatCompletion, ChatCompletionRequest } from '../generated/types.ts';
import type { CallOptions } from '../options.ts';
import type { Answered } from '../response-info.ts';

export type ChatRequestWhole = ChatCompletionRequest & { readonly stream?: false | null };
export type ChatRequestStreamed = ChatCompletionRequest & { readonly stream: true };

export class ChatCompletions {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** With `stream: true` resolves when the answer has begun, and gives its chunks as they come. */
  create(body: ChatRequestStreamed, options?: CallOptions): Promise<ChatStream>;
  create(body: ChatRequestWhole, options?: CallOptions): Promise<Answered<ChatCompletion>>;
  create(
    body: ChatCompletionRequest,
    options?: CallOptions,
  ): Promise<ChatStream | Answered<ChatCompletion>>;
  async create(
    body: ChatCompletionRequest,
    options?: CallOptions,
  ): Promise<ChatStream | Answered<ChatCompletion>> {
    if (body.stream !== true) return this.#caller.call('createChatCompletion', { body }, options);
    return new ChatStream(await this.#caller.open('createChatCompletion', { body }, options));
  }
}

export class Chat {
  readonly completions: ChatCompletions;

  constructor(caller: Caller) {
    this.completions = new ChatCompletions(caller);
  }
}
