/**
 * The OpenAPI 3.1 document, made from the schemas that check requests and describe answers. The
 * generated SDK is made from it: names of operations and schemas are part of the contract.
 */
import { z } from '#wire/z.ts';
import { ERROR_EXAMPLES, errorAnswersOf } from './errors.ts';
import {
  HEADERS,
  ONCE_HEADERS,
  TAGS,
  type Answer,
  type CallerKind,
  type Content,
  type HeaderName,
  type Operation,
} from './operation.ts';
import { OPERATIONS } from './operations.ts';
import { namedSchemas, refOf, toSchema, type JsonSchema } from './schemas.ts';

const DESCRIPTION = `One gateway in front of every provider, with OpenAI's API and exact money.

**Keys.** \`Authorization: Bearer sk-omx-...\`; the headers \`x-api-key\`, \`api-key\` and
\`x-goog-api-key\` mean the same on every route. Inference keys are \`sk-omx-live-...\`, or
\`sk-omx-test-...\` for the models of the sandbox, which cost nothing. Management keys
(\`sk-omx-mgmt-...\`) make keys and grant credit, and never run inference.

**Errors** have one form everywhere; \`error.code\` is for programs, and
[/docs/errors](/docs/errors) says what each code means. A stream that breaks after it has begun ends
with an event that holds an error, and without \`[DONE]\`.

**Retries.** \`x-should-retry\` stands on every error and says whether to try again; \`retry-after\`
and \`retry-after-ms\` say when.

**Once.** With an \`Idempotency-Key\` a POST runs once: whoever repeats it within 24 hours gets the
first answer again, streams too, with the header \`idempotent-replayed\`.

**Paths** are forgiving: \`/v1\` twice or not at all, doubled slashes and a slash at the end are
served, with a \`warning\` header that tells how the path should read.`;

const SECURITY: Readonly<Record<CallerKind, readonly Readonly<Record<string, string[]>>[]>> = {
  anyone: [],
  inference: [{ InferenceKey: [] }],
  management: [{ ManagementKey: [] }],
  'any-key': [{ InferenceKey: [] }, { ManagementKey: [] }],
};

const SCHEMES = {
  InferenceKey: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'sk-omx-live-... or sk-omx-test-...',
    description: 'Runs inference. A test key reaches the models of the sandbox and never spends.',
  },
  ManagementKey: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'sk-omx-mgmt-...',
    description: 'Makes keys and grants credit. Never put it into a browser.',
  },
} as const;

const REPLAYED: HeaderName = 'idempotent-replayed';

function toContent({ schema, examples }: Content): object {
  return { schema: schema instanceof z.ZodType ? refOf(schema) : schema, examples };
}

function toContents(contents: Answer['content']): object {
  const entries = Object.entries(contents);
  return Object.fromEntries(entries.map(([type, content]) => [type, toContent(content)] as const));
}

function toResponse({ description, content, headers = [] }: Answer): object {
  const names = ['x-request-id', ...headers] as const;
  const refs = names.map((name) => [name, { $ref: `#/components/headers/${name}` }] as const);
  return {
    description,
    headers: Object.fromEntries(refs),
    ...(Object.keys(content).length === 0 ? {} : { content: toContents(content) }),
  };
}

function toResponses(operation: Operation): object {
  const { answers, once } = operation;
  const errors = Object.entries(errorAnswersOf(operation));
  const good = Object.entries(answers).map(([status, answer]) => {
    const { headers = [] } = answer;
    return [status, once ? { ...answer, headers: [...headers, REPLAYED] } : answer] as const;
  });
  return Object.fromEntries(
    [...errors, ...good].map(([status, answer]) => [status, toResponse(answer)] as const),
  );
}

function toParameters(place: 'path' | 'query' | 'header', fields: z.ZodObject): readonly object[] {
  const { properties = {}, required = [] } = toSchema(fields);
  return Object.entries(properties).map(([name, schema]) => {
    const { description, ...rest }: JsonSchema = typeof schema === 'boolean' ? {} : schema;
    return {
      name,
      in: place,
      required: required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}

function toOperation(operation: Operation): object {
  const { operationId, tag, summary, description, caller, params, query, body } = operation;
  const { headers, once } = operation;
  const parameters = [
    ...(params === undefined ? [] : toParameters('path', params)),
    ...(query === undefined ? [] : toParameters('query', query)),
    ...(once === undefined ? [] : toParameters('header', ONCE_HEADERS)),
    ...(headers === undefined ? [] : toParameters('header', headers)),
  ];
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: SECURITY[caller],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: toContents({ 'application/json': body }) } }),
    responses: toResponses(operation),
  };
}

function toPaths(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of OPERATIONS) {
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method]: toOperation(operation),
    };
  }
  return paths;
}

function toHeaders(): object {
  const entries = Object.entries(HEADERS).map(
    ([name, { description, type }]) => [name, { description, schema: { type } }] as const,
  );
  return Object.fromEntries(entries);
}

/** The document as JSON text; the same every time. Tens of milliseconds: make it once. */
export function createOpenApiText(version: string): string {
  const tags = Object.entries(TAGS).map(([name, description]) => ({ name, description }));
  return JSON.stringify({
    openapi: '3.1.0',
    info: { title: 'OmniX', version, description: DESCRIPTION, license: { name: 'MIT' } },
    servers: [
      { url: '/', description: 'This gateway.' },
      { url: 'http://127.0.0.1:8787', description: 'A gateway on this machine, by default.' },
    ],
    externalDocs: { url: '/docs/errors', description: 'What each error code means.' },
    tags,
    paths: toPaths(),
    components: {
      schemas: namedSchemas(),
      headers: toHeaders(),
      examples: ERROR_EXAMPLES,
      securitySchemes: SCHEMES,
    },
  });
}
