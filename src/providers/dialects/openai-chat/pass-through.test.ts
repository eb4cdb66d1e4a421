/**
 * Bodies that pass through: what is changed is told, everything else stays as the caller wrote it.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toMistralCallId } from '#providers/mistral/call-id.ts';
import type { BodyAdaptation, BodyMembers } from '#providers/provider.ts';
import { providers } from '#providers/registry.ts';
import { passThroughOf } from '#testing/chat-support.ts';
import { familyAddress } from './family.ts';
import { DEFAULT_HABITS } from './habits.ts';
import type { ChatHabits } from './habits.ts';
import { adaptMessages } from './messages.ts';
import { passThrough, readComplaint } from './pass-through.ts';

const TARGET = {
  baseUrl: 'https://host.example/v1',
  model: 'm',
  region: null,
  project: null,
  account: null,
};

function membersOf(raw: Readonly<Record<string, string>>): BodyMembers {
  return { has: (key) => Object.hasOwn(raw, key), raw: (key) => raw[key] };
}

function adapt(
  raw: Readonly<Record<string, string>>,
  habits: Partial<ChatHabits> = {},
): BodyAdaptation {
  return passThrough({ ...DEFAULT_HABITS, ...habits }).adapt(membersOf(raw), TARGET);
}

describe('usage of streams', () => {
  it('is asked for, beside what the caller asked for', () => {
    expect(adapt({ stream: 'true' }).edits).toEqual([
      { op: 'set', key: 'stream_options', json: '{"include_usage":true}' },
    ]);
    const refused = adapt({ stream: ' true ', stream_options: '{"include_usage":false,"x":1}' });
    expect(refused.edits).toEqual([
      { op: 'set', key: 'stream_options', json: '{"include_usage":true,"x":1}' },
    ]);
    expect(adapt({ stream: 'true', stream_options: 'null' }).edits.length).toBe(1);
  });

  it('is left alone where it is asked for already, or nothing streams', () => {
    expect(adapt({ stream: 'true', stream_options: '{"include_usage": true}' }).edits).toEqual([]);
    expect(adapt({ stream: 'false' }).edits).toEqual([]);
    expect(adapt({}).edits).toEqual([]);
    expect(adapt({ stream: 'true', stream_options: '7' }).edits).toEqual([]);
  });
});

describe('two names for one thing', () => {
  const habits = { renamesMaxTokens: true } as const;

  it('become the one that the host knows', () => {
    expect(adapt({ max_completion_tokens: '5' }, habits).edits).toEqual([
      { op: 'rename', key: 'max_completion_tokens', to: 'max_tokens' },
    ]);
  });

  it('never make the member stand twice', () => {
    const both = adapt({ max_completion_tokens: '5', max_tokens: '9' }, habits);
    expect(both.edits).toEqual([{ op: 'remove', key: 'max_completion_tokens' }]);
    expect(both.warnings).toMatchObject([{ code: 'ignored', param: 'max_completion_tokens' }]);
    expect(adapt({ max_completion_tokens: '5', max_tokens: 'null' }, habits).edits).toEqual([
      { op: 'remove', key: 'max_tokens' },
      { op: 'rename', key: 'max_completion_tokens', to: 'max_tokens' },
    ]);
  });
});

describe('messages', () => {
  const strict: ChatHabits = {
    ...DEFAULT_HABITS,
    developerRole: false,
    assistantMembers: ['role', 'content', 'tool_calls'],
    toolCallId: toMistralCallId,
  };

  it('keep their bytes where nothing has to change', () => {
    const raw = '[ {"role" :"user", "content":"the \\"developer\\" said \\"name\\": 1e5"} ]';
    expect(adaptMessages(raw, strict)).toEqual({ edits: [], warnings: [] });
  });

  it('change the role developer and leave the word in their text', () => {
    const raw = '[{"role": "developer","content":"\\"role\\":\\"developer\\""}]';
    const edit = adaptMessages(raw, strict).edits[0];
    expect(edit).toMatchObject({
      op: 'set',
      json: '[{"role": "system","content":"\\"role\\":\\"developer\\""}]',
    });
  });

  it('give call and result the same new id', () => {
    const raw = JSON.stringify([
      { role: 'assistant', content: null, tool_calls: [{ id: 'call_1', type: 'function' }] },
      { role: 'tool', tool_call_id: 'call_1', content: 'x' },
    ]);
    const edit = adaptMessages(raw, strict).edits[0];
    const id = toMistralCallId('call_1');
    expect(edit).toMatchObject({
      json: JSON.stringify([
        { role: 'assistant', content: null, tool_calls: [{ id, type: 'function' }] },
        { role: 'tool', tool_call_id: id, content: 'x' },
      ]),
    });
  });

  it('have text and no list of it for a host that takes none', () => {
    const part = (text: string) => ({ type: 'text', text });
    const image = { type: 'image_url', image_url: { url: 'https://a.example/i.png' } };
    const mixed = { role: 'user', content: [part('c'), image] };
    const messages = [
      { role: 'user', content: [part('a'), part('b')] },
      { role: 'tool', tool_call_id: 'call_1', content: [part('file.txt')] },
      mixed,
    ];
    const habits = { ...DEFAULT_HABITS, textLists: false };
    const { edits, warnings } = adaptMessages(JSON.stringify(messages), habits);
    const joined = [
      { role: 'user', content: 'a\nb' },
      { role: 'tool', tool_call_id: 'call_1', content: 'file.txt' },
      mixed,
    ];
    expect(edits).toEqual([{ op: 'set', key: 'messages', json: JSON.stringify(joined) }]);
    expect(warnings).toEqual([]);
    expect(adaptMessages('[ {"role":"user","content":"\\"content\\":["} ]', habits).edits).toEqual(
      [],
    );
  });

  it('may be anything without an exception', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (raw) => {
        adaptMessages(raw, strict);
        adaptMessages(`[{"role":"assistant","name":${raw}}]`, strict);
      }),
    );
  });
});

describe('settings that Mistral refuses as unknown', () => {
  it.each([
    ['top_k', '40'],
    ['service_tier', '"flex"'],
  ])('are left out, and told: %s', (key, raw) => {
    const { passThrough: mistral } = passThroughOf(providers.mistral);
    expect(mistral.adapt(membersOf({ [key]: raw }), TARGET)).toMatchObject({
      edits: [{ op: 'remove', key }],
      warnings: [{ code: 'dropped', param: key }],
    });
  });
});

describe('ids of calls at Mistral', () => {
  it('have nine letters or digits, and stay apart', () => {
    const ids = Array.from({ length: 2_000 }, (_, index) => toMistralCallId(`call_${index}`));
    expect(ids.every((id) => /^[A-Za-z0-9]{9}$/.test(id))).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
    expect(toMistralCallId('Ab12Cd34E')).toBe('Ab12Cd34E');
  });
});

describe('failures inside an answer', () => {
  it.each([
    ['an answer', { choices: [{ message: { content: 'error' } }] }],
    ['an answer with an empty error', { error: null, choices: [] }],
    ['an answer of MiniMax', { choices: [], base_resp: { status_code: 0, status_msg: '' } }],
    ['a chunk of usage', { choices: [], usage: {} }],
    ['no record', 'error'],
    ['nothing', {}],
  ])('are not seen in %s', (_case, body) => {
    expect(readComplaint(body)).toBeNull();
  });

  it.each([
    ['in a choice', { choices: [{ error: { code: 502, message: 'gone' } }] }, '502'],
    ['as a text', { error: 'runner stopped' }, 'upstream_error'],
    ['as an object of type error', { object: 'error', message: 'm', code: 400 }, '400'],
    ['of FastAPI', { detail: 'Internal error' }, 'upstream_error'],
    ['beside a status', { error: { message: 'busy' }, status_code: 503 }, 'upstream_error'],
  ])('are seen %s', (_case, body, code) => {
    expect(readComplaint(body)).toMatchObject({ code });
  });

  it('never throw', () => {
    fc.assert(fc.property(fc.anything(), (body) => void readComplaint(body)));
  });
});

describe('base URLs of official clients', () => {
  it.each([
    ['groq', 'https://api.groq.com', 'https://api.groq.com/openai/v1/chat/completions'],
    ['mistral', 'https://api.mistral.ai/', 'https://api.mistral.ai/v1/chat/completions'],
    ['ollama', 'http://127.0.0.1:11434', 'http://127.0.0.1:11434/v1/chat/completions'],
    ['deepseek', 'https://api.deepseek.com', 'https://api.deepseek.com/chat/completions'],
  ] as const)('without a path lead %s to its version', (id, baseUrl, url) => {
    expect(providers[id].address({ ...TARGET, baseUrl }, 'chat').url).toBe(url);
  });

  it('with a path are taken as they are', () => {
    const target = { ...TARGET, baseUrl: 'https://gate.example/x' };
    expect(familyAddress(target, 'chat', '/v1').url).toBe(
      'https://gate.example/x/chat/completions',
    );
  });
});
