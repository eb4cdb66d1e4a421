/** Makes calls: tries, reads answers, and tries again where that is right. */
import { APIError, OmniXError, toApiError } from './errors.ts';
import type { Operations } from './generated/operations.ts';
import { isRecord, parseJson } from './json.ts';
import { type CallOptions, requireRetries, requireTimeout, type Settings } from './options.ts';
import {
  type Asked,
  type DataOf,
  type OperationId,
  toWireRequest,
  type WireRequest,
} from './request.ts';
import {
  type Answered,
  type AnswerHead,
  attachResponse,
  costOf,
  toResponseInfo,
} from './response-info.ts';
import { pauseBeforeRetry } from './retry.ts';
import { sleep, Watch } from './watch.ts';

/** An answer whose body is still to be read, with what watches over it: the reader's to end. */
export interface OpenAnswer extends AnswerHead {
  readonly watch: Watch;
}

/** An answer of events that nobody has read yet. */
export interface OpenEvents extends OpenAnswer {
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
}

type Read<Value> = (answer: OpenAnswer) => Promise<Value>;

interface Try {
  readonly request: WireRequest;
  readonly watch: Watch;
  readonly retries: number;
}

export class Caller {
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Calls an operation that answers in JSON. */
  call<Id extends OperationId>(
    id: Id,
    data: DataOf<Id>,
    options: CallOptions = {},
  ): Promise<Answered<Operations[Id]['result']>> {
    const asked = { id, data, accept: 'application/json' };
    return this.#run(asked, options, async (answer) => {
      const body = await readJson<Operations[Id]['result']>(answer);
      answer.watch.end();
      return body;
    });
  }

  /** Calls an operation that answers in events. What was begun is not tried again. */
  open<Id extends OperationId>(
    id: Id,
    data: DataOf<Id>,
    options: CallOptions = {},
  ): Promise<OpenEvents> {
    const asked = { id, data, accept: 'text/event-stream' };
    return this.#run(asked, options, async (answer) => {
      const { body, headers } = answer.response;
      const type = headers.get('content-type') ?? '';
      if (body !== null && type.startsWith('text/event-stream')) {
        return { ...answer, reader: body.getReader() };
      }
      throw new OmniXError(`Expected a stream of events and got "${type}": is baseURL right?`);
    });
  }

  async #run<Value>(asked: Asked, options: CallOptions, read: Read<Value>): Promise<Value> {
    const request = toWireRequest(asked, this.#settings, options);
    const timeoutMs = requireTimeout(options.timeout ?? this.#settings.timeoutMs);
    const retriesMax = requireRetries(options.maxRetries ?? this.#settings.maxRetries);
    for (let retries = 0; ; retries += 1) {
      const watch = new Watch(timeoutMs, options.signal);
      try {
        return await this.#try({ request, watch, retries }, read);
      } catch (error) {
        const pauseMs = retries < retriesMax ? pauseBeforeRetry(error, retries) : null;
        if (pauseMs === null) throw error;
        await sleep(pauseMs, options.signal);
      }
    }
  }

  async #try<Value>({ request, watch, retries }: Try, read: Read<Value>): Promise<Value> {
    const { url, init, idempotencyKey } = request;
    try {
      watch.requireCaller();
      const sent = this.#settings.fetch(url, { ...init, signal: watch.signal });
      const response = await watch.wait(sent);
      if (!response.ok) throw await readError(response, watch);
      return await read({ response, watch, idempotencyKey, retries });
    } catch (thrown) {
      const error = watch.toError(thrown);
      // An error was read to its end; anything else may still be under way.
      if (!(error instanceof APIError)) watch.abort();
      watch.end();
      throw error;
    }
  }
}

async function readError(response: Response, watch: Watch): Promise<APIError> {
  const { status, headers } = response;
  return toApiError({ status, headers, text: await watch.wait(response.text()) });
}

async function readJson<Body>(answer: OpenAnswer): Promise<Answered<Body>> {
  const { response, watch } = answer;
  const body = parseJson<Body>(await watch.wait(response.text()));
  if (!isRecord(body)) {
    throw new OmniXError('The answer is no JSON object: is baseURL right?');
  }
  attachResponse(
    body,
    toResponseInfo(answer, () => costOf(body)),
  );
  return body;
}
