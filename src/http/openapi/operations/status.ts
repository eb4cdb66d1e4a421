/** Whether the gateway is up, and what describes it. None of these routes asks for a key. */
import { healthSchema, notReadySchema, readySchema, serviceSchema } from '#wire/status.ts';
import { example, json, type Answer, type Operation } from '../operation.ts';

function page(description: string): Answer {
  const html = {
    schema: { type: 'string' },
    examples: example('A page', '<!doctype html>...'),
  } as const;
  return { description, content: { 'text/html': html } };
}

const OPEN = { method: 'get', tag: 'Service', caller: 'anyone', errors: [] } as const;

export const STATUS_OPERATIONS: readonly Operation[] = [
  {
    ...OPEN,
    path: '/',
    operationId: 'getService',
    summary: 'Get what answers here',
    answers: {
      200: {
        description: 'The gateway.',
        content: json(
          serviceSchema,
          example('OmniX', { name: 'OmniX', version: '0.1.0', api: '/v1', ready: '/ready' }),
        ),
      },
    },
  },
  {
    ...OPEN,
    path: '/health',
    operationId: 'getHealth',
    summary: 'Get whether the process is alive',
    answers: {
      200: {
        description:
          'It listens, whatever else it waits for. `pid` is told to callers on the same machine.',
        content: json(healthSchema, example('Alive', { status: 'ok', version: '0.1.0' })),
      },
    },
  },
  {
    ...OPEN,
    path: '/ready',
    operationId: 'getReadiness',
    summary: 'Get whether requests can be served',
    answers: {
      200: {
        description: 'They can.',
        content: json(readySchema, example('Ready', { status: 'ready', version: '0.1.0' })),
      },
      503: {
        description:
          'They cannot: the process starts or stops, or its database cannot be reached. While it ' +
          'cannot, requests are taken all the same, and those that need no database are served.',
        content: json(notReadySchema, {
          ...example('Starting', { status: 'not_ready', reason: 'starting' }),
          away: {
            summary: 'Without its database',
            value: { status: 'not_ready', reason: 'the database cannot be reached' },
          },
        }),
        headers: ['retry-after'],
      },
    },
  },
  {
    ...OPEN,
    path: '/openapi.json',
    operationId: 'getOpenApiDocument',
    summary: 'Get this document',
    answers: {
      200: {
        description: 'OpenAPI 3.1.',
        content: json(
          { type: 'object' },
          example('The beginning', { openapi: '3.1.0', info: { title: 'OmniX' } }),
        ),
        headers: ['etag'],
      },
      304: {
        description: 'It is the one that `if-none-match` names.',
        content: {},
        headers: ['etag'],
      },
    },
  },
  {
    ...OPEN,
    path: '/docs',
    operationId: 'showReference',
    summary: 'Show the reference',
    answers: { 200: page('A page for people, made from this document.') },
  },
  {
    ...OPEN,
    path: '/docs/errors',
    operationId: 'showErrors',
    summary: 'Show what each error code means',
    answers: { 200: page('A page for people, with a section for each code.') },
  },
];
