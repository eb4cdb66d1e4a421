/**
 * Answers held against the OpenAPI document: whether a status, a body and its headers are what the
 * document says that an operation answers.
 */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { at, isObject, objectOf, parse, stringOf, type JsonObject } from './recordings-json.ts';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

export interface DocumentedOperation {
  readonly id: string;
  /** Upper case. */
  readonly method: string;
  readonly path: string;
  readonly json: JsonObject;
}

/** What is wrong, one line each; nothing where all is well. */
export type Faults = readonly string[];

export interface OpenApiChecker {
  readonly operations: readonly DocumentedOperation[];
  /** What `schema`, a part of the document, says of a value. */
  faultsOf(schema: unknown, value: unknown): Faults;
  /** Reads the whole answer. Fields that are not in the document are faults where it says 2xx. */
  check(operationId: string, response: Response): Promise<Faults>;
}

function operationsOf(document: JsonObject): DocumentedOperation[] {
  return Object.entries(objectOf(document['paths'])).flatMap(([path, item]) =>
    Object.entries(objectOf(item))
      .filter(([method]) => METHODS.includes(method))
      .map(([method, json]) => ({
        id: stringOf(at(json, 'operationId')),
        method: method.toUpperCase(),
        path,
        json: objectOf(json),
      })),
  );
}

/** A copy in which objects with named members have no others. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (!isObject(schema)) return schema;
  const copy = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, closed(value)] as const),
  );
  const open = copy['additionalProperties'];
  const isOpen = open === undefined || (isObject(open) && Object.keys(open).length === 0);
  return isObject(copy['properties']) && isOpen ? { ...copy, additionalProperties: false } : copy;
}

type Validate = (schema: unknown, value: unknown) => Faults;

function createValidate(components: unknown): Validate {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addFormat('date-time', DATE_TIME).addFormat('date', DATE);
  const compiled = new Map<unknown, ReturnType<Ajv2020['compile']>>();
  return (schema, value) => {
    const validate = compiled.get(schema) ?? ajv.compile({ allOf: [schema], components });
    compiled.set(schema, validate);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `${instancePath || '/'} ${message ?? ''} ${JSON.stringify(params)}`,
    );
  };
}

/** The data of every event, without the closing [DONE]. */
function eventsOf(text: string): readonly unknown[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '' && block !== 'data: [DONE]')
    .map((block) => parse(block.replace(/^data: /, '')));
}

function bodiesOf(type: string, text: string): readonly unknown[] {
  if (type === 'text/event-stream') return eventsOf(text);
  return [type === 'application/json' ? parse(text) : text];
}

function missingHeaders(answer: JsonObject, response: Response): Faults {
  const rare = ['retry-after', 'retry-after-ms', 'idempotent-replayed'];
  return Object.keys(objectOf(answer['headers']))
    .filter((name) => !rare.includes(name) && !response.headers.has(name))
    .map((name) => `no header ${name}`);
}

export function createOpenApiChecker(document: JsonObject): OpenApiChecker {
  const operations = operationsOf(document);
  const validate = createValidate(document['components']);
  const strict = createValidate(closed(document['components']));
  const closedSchemas = new Map<unknown, unknown>();
  const closedOf = (schema: unknown): unknown => {
    const known = closedSchemas.get(schema) ?? closed(schema);
    closedSchemas.set(schema, known);
    return known;
  };
  return {
    operations,
    faultsOf: validate,
    check: async (operationId, response) => {
      const operation = operations.find(({ id }) => id === operationId);
      const answer = at(operation?.json, 'responses', String(response.status));
      const text = await response.text();
      if (!isObject(answer)) return [`${operationId}: ${response.status} is not there: ${text}`];
      const faults = missingHeaders(answer, response);
      const contents = objectOf(answer['content']);
      if (Object.keys(contents).length === 0) {
        return text === '' ? faults : [...faults, `a body: ${text}`];
      }
      const type = (response.headers.get('content-type') ?? '').split(';', 1)[0] ?? '';
      const schema = at(contents[type], 'schema');
      if (schema === undefined) return [...faults, `no content ${type}`];
      const found = bodiesOf(type, text).flatMap((body) =>
        response.ok ? strict(closedOf(schema), body) : validate(schema, body),
      );
      return [...faults, ...found.map((fault) => `${fault} in ${text.slice(0, 2_000)}`)];
    },
  };
}
