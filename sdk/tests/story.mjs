/**
 * What the built package does on a runtime, told as one line of JSON: `runtimes.slow.ts` runs it on
 * each. Plain JavaScript, because not all of them read TypeScript.
 */
const { APIUserAbortError, NotFoundError, OmniX } = await import(process.env.OMNIX_SDK);

const client = new OmniX();
const messages = [{ role: 'user', content: 'Say hello.' }];
const textOf = (chunk) => chunk.choices[0]?.delta.content ?? '';

const whole = await client.chat.completions.create({ model: 'at-a', messages });

const stream = await client.chat.completions.create({ model: 'at-a', messages, stream: true });
const pieces = [];
for await (const chunk of stream) pieces.push(textOf(chunk));

const left = await client.chat.completions.create({ model: 'at-stops', messages, stream: true });
for await (const chunk of left) if (textOf(chunk) !== '') break;

const aborted = await client.chat.completions
  .create({ model: 'at-a', messages }, { signal: AbortSignal.abort() })
  .catch((error) => error instanceof APIUserAbortError);

const refused = await client.chat.completions
  .create({ model: 'no-such-model', messages })
  .catch((error) => [error instanceof NotFoundError, error.status, error.code]);

const sandbox = new OmniX({ apiKey: process.env.OMNIX_TEST_KEY });
const vectors = await sandbox.embeddings.create({ model: 'sandbox/embedding', input: 'hello' });

console.log(
  JSON.stringify({
    whole: whole.choices[0]?.message.content,
    streamed: pieces.join(''),
    costs: [whole.response.cost, stream.response.cost],
    aborted,
    refused,
    numbers: vectors.data.every(({ embedding }) => embedding.every(Number.isFinite)),
  }),
);
