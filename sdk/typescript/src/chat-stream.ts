/**
 * A streamed chat completion: the chunks as they come, and in the end the usage. A stream that
 * breaks throws; one that ends without a word was whole.
 */
import type { OpenEvents } from './caller.ts';
import { APIConnectionError, OmniXError, toApiError } from './errors.ts';
import type { ChatCompletionChunk, ChatUsage } from './generated/types.ts';
import { isRecord, parseJson } from './json.ts';
import { type ResponseInfo, toResponseInfo } from './response-info.ts';
import { SseReader } from './sse-reader.ts';

const END = '[DONE]';

export class ChatStream implements AsyncIterable<ChatCompletionChunk> {
  /** Ids, headers and, once the usage has come, the cost. */
  readonly response: ResponseInfo;
  readonly #answer: OpenEvents;
  #usage: ChatUsage | null = null;
  #taken = false;

  constructor(answer: OpenEvents) {
    this.#answer = answer;
    this.response = toResponseInfo(answer, () => this.#usage?.cost ?? null);
  }

  /** Comes with the last chunk; null until then. */
  get usage(): ChatUsage | null {
    return this.#usage;
  }

  /** Once. Leaving the loop ends the work at the provider where that is possible. */
  [Symbol.asyncIterator](): AsyncGenerator<ChatCompletionChunk, void, undefined> {
    if (this.#taken) throw new OmniXError('A stream can be read only once.');
    this.#taken = true;
    return this.#read();
  }

  async *#read(): AsyncGenerator<ChatCompletionChunk, void, undefined> {
    const { reader, watch } = this.#answer;
    let whole = false;
    try {
      const events = new SseReader();
      for (;;) {
        const { done, value } = await watch.wait(reader.read());
        if (done) break;
        for (const data of events.push(value)) {
          watch.requireCaller();
          if (data === END) {
            whole = true;
            return;
          }
          yield this.#take(data);
        }
      }
      throw new APIConnectionError('The stream broke off before its end.');
    } catch (thrown) {
      throw watch.toError(thrown);
    } finally {
      if (whole) void drain(this.#answer);
      else {
        watch.abort();
        watch.end();
      }
    }
  }

  #take(data: string): ChatCompletionChunk {
    const chunk = parseJson<ChatCompletionChunk>(data);
    if (!isRecord(chunk)) throw new OmniXError('The stream holds an event that is no JSON object.');
    if (isRecord(chunk['error'])) {
      throw toApiError({ status: null, headers: this.response.headers, text: data });
    }
    if (isRecord(chunk.usage)) this.#usage = chunk.usage;
    return chunk;
  }
}

/** Reads what may follow the end, so that the connection can serve another request. */
async function drain({ reader, watch }: OpenEvents): Promise<void> {
  try {
    while (!(await watch.wait(reader.read())).done);
  } catch {
    // The answer is whole, whatever becomes of its connection.
  } finally {
    watch.end();
  }
}
