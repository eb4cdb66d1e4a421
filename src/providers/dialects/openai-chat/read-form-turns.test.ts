/** Messages of every role and kind become turns; what no upstream would take is refused. */
import { describe, expect, it } from 'vitest';
import type { Part, Turn } from '#providers/form.ts';
import type { JsonRecord } from '#providers/json.ts';
import { CannotSay } from '#providers/provider.ts';
import { readTurns } from './read-form-turns.ts';

const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const WAV = btoa('RIFF\0\0\0\0WAVEfmt ');

function userParts(content: unknown): readonly Part[] {
  return readTurns([{ role: 'user', content }])[0]?.parts ?? [];
}

function refusalOf(messages: readonly JsonRecord[]): string {
  try {
    readTurns(messages);
  } catch (error) {
    if (error instanceof CannotSay) return error.param;
    throw error;
  }
  return 'taken';
}

function call(id: string | null, name = 'f', text = '{}'): JsonRecord {
  return { id, type: 'function', function: { name, arguments: text } };
}

function result(id: string, content: unknown = 'ok'): JsonRecord {
  return { role: 'tool', tool_call_id: id, content };
}

const GO = { role: 'user', content: 'Go' };

/** What an assistant's message, its calls answered, is read as. */
function assistantTurn(message: JsonRecord): Turn {
  const calls = Array.isArray(message['tool_calls']) ? message['tool_calls'] : [];
  const results = calls.map((_, index) => result(`c${index}`));
  const turn = readTurns([GO, { role: 'assistant', ...message }, ...results])[1];
  if (turn === undefined) throw new Error('no turn');
  return turn;
}

describe('content of every kind', () => {
  it('text, images, audio, video and files, each with its path', () => {
    const pdf = btoa('%PDF-1.7 and so on');
    const parts = userParts([
      { type: 'text', text: 'See' },
      { type: 'image_url', image_url: { url: 'https://a/b.png', detail: 'high' } },
      { type: 'image_url', image_url: `data:image/png;base64,${PNG}` },
      { type: 'input_audio', input_audio: { data: WAV, format: 'wav' } },
      { type: 'input_audio', input_audio: { data: WAV, format: 'mp3' } },
      { type: 'video_url', video_url: { url: 'https://a/b.mp4' } },
      { type: 'file', file: { file_id: 'file_1' } },
      { type: 'file', file: { file_data: `data:text/csv;base64,${WAV}`, filename: 'a.csv' } },
      { type: 'file', file: { file_data: pdf } },
      { type: 'file', file: { file_data: 'https://a/b.pdf' } },
      { type: 'document_url', document_url: 'https://a/c.pdf', document_name: 'c.pdf' },
    ]);
    const base64 = (mediaType: string, data: string): object => ({
      kind: 'base64',
      mediaType,
      data,
    });
    expect(parts).toEqual(
      [
        { type: 'text', text: 'See' },
        { type: 'image', source: { kind: 'url', url: 'https://a/b.png' }, detail: 'high' },
        { type: 'image', source: base64('image/png', PNG) },
        { type: 'audio', source: base64('audio/wav', WAV) },
        { type: 'audio', source: base64('audio/mpeg', WAV) },
        { type: 'video', source: { kind: 'url', url: 'https://a/b.mp4' } },
        { type: 'file', source: { kind: 'file_id', fileId: 'file_1' } },
        { type: 'file', source: base64('text/csv', WAV), filename: 'a.csv' },
        { type: 'file', source: base64('application/pdf', pdf) },
        { type: 'file', source: { kind: 'url', url: 'https://a/b.pdf' } },
        { type: 'file', source: { kind: 'url', url: 'https://a/c.pdf' }, filename: 'c.pdf' },
      ].map((part, index) => ({ ...part, path: `messages[0].content[${index}]` })),
    );
  });

  it('hints to cache, on parts, messages and results, in both dialects’ words', () => {
    const hint = { cache_control: { type: 'ephemeral' } };
    const long = { cache_control: { type: 'ephemeral', ttl: '1h' } };
    const turns = readTurns([
      { role: 'system', content: [{ type: 'text', text: 'a', ...long }] },
      { role: 'user', content: 'b', ...hint },
      { role: 'assistant', tool_calls: [call('c0')] },
      { role: 'tool', tool_call_id: 'c0', content: [{ type: 'text', text: 'r', ...hint }] },
      {
        role: 'user',
        content: [{ type: 'text', text: 'c', prompt_cache_breakpoint: { mode: 'explicit' } }],
      },
    ]);
    expect(turns.map(({ parts }) => parts[0]?.cache)).toEqual([
      { lifetime: '1h' },
      { lifetime: '5m' },
      undefined,
      { lifetime: '5m' },
      { lifetime: '5m' },
    ]);
    const answer = turns[3]?.parts[0];
    expect(answer?.type === 'tool_result' ? answer.content : null).toEqual([
      { type: 'text', text: 'r', path: 'messages[3].content[0]' },
    ]);
  });

  it('an image goes by its bytes, not by its label', () => {
    const parts = userParts([
      { type: 'image_url', image_url: { url: `data:image/jpeg;base64,${PNG}` } },
    ]);
    expect(parts).toMatchObject([{ source: { mediaType: 'image/png', data: PNG } }]);
  });

  it('base64 in lines, in the URL alphabet or without padding is put right', () => {
    const data = btoa('%PDF\xff\xfe\xfd');
    const loose = `${data.slice(0, 4)}\n${data.slice(4)}`
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replace(/=+$/, '');
    expect(loose).not.toBe(data);
    const parts = userParts([{ type: 'file', file: { file_data: loose } }]);
    expect(parts).toMatchObject([{ source: { data } }]);
  });

  it('empty texts among others say nothing; an empty system message is an empty turn', () => {
    const parts = userParts([
      { type: 'text', text: '' },
      { type: 'text', text: 'a' },
    ]);
    expect(parts).toEqual([{ type: 'text', text: 'a', path: 'messages[0].content[1]' }]);
    expect(readTurns([{ role: 'system', content: '' }])[0]?.parts).toEqual([]);
  });

  it('members that only some host knows stay with their part or message', () => {
    const turns = readTurns([
      { role: 'user', content: [{ type: 'text', text: 'a', extra: 1 }], name: 'ann', mood: 'x' },
    ]);
    expect(turns).toMatchObject([
      {
        name: 'ann',
        native: { 'openai-chat': { mood: 'x' } },
        parts: [{ native: { 'openai-chat': { extra: 1 } } }],
      },
    ]);
  });
});

describe('what an assistant thought, said and called', () => {
  it('comes in that order, each with its path', () => {
    const turn = assistantTurn({
      content: 'Yes',
      refusal: 'No',
      reasoning_content: 'Hm',
      audio: { id: 'audio_1' },
      images: [{ type: 'image_url', image_url: { url: 'https://a/b' } }],
      tool_calls: [
        call('c0', 'f', ''),
        { id: 'c1', type: 'custom', custom: { name: 'c', input: 'x' } },
      ],
    });
    const path = 'messages[1]';
    expect(turn.parts).toEqual([
      { type: 'reasoning', text: 'Hm', summary: false, path },
      { type: 'text', text: 'Yes', path: `${path}.content` },
      { type: 'refusal', text: 'No', path: `${path}.refusal` },
      { type: 'image', source: { kind: 'url', url: 'https://a/b' }, path: `${path}.images[0]` },
      {
        type: 'audio',
        id: 'audio_1',
        source: { kind: 'file_id', fileId: 'audio_1' },
        path: `${path}.audio`,
      },
      {
        type: 'tool_call',
        id: 'c0',
        name: 'f',
        arguments: '{}',
        format: 'json',
        path: `${path}.tool_calls[0]`,
      },
      {
        type: 'tool_call',
        id: 'c1',
        name: 'c',
        arguments: 'x',
        format: 'text',
        path: `${path}.tool_calls[1]`,
      },
    ]);
  });

  it('signed reasoning names its maker; of an unknown one it stays as it came', () => {
    const anthropic = { format: 'anthropic-claude-v1', index: 0 };
    const turn = assistantTurn({
      content: 'Yes',
      reasoning_content: 'AB',
      reasoning_details: [
        { type: 'reasoning.text', text: 'A', signature: 's', ...anthropic },
        { type: 'reasoning.encrypted', data: 'blob', format: 'anthropic-claude-v1', index: 1 },
        // A gap in the places: what was said stood there.
        { type: 'reasoning.text', text: 'B', format: 'other-v1', index: 3 },
      ],
    });
    expect(turn.parts).toMatchObject([
      { type: 'reasoning', text: 'A', signature: 's', native: { anthropic: {} } },
      { type: 'reasoning', text: '', encrypted: 'blob', native: { anthropic: {} } },
      { type: 'text', text: 'Yes' },
      { type: 'reasoning', text: 'B', native: { 'openai-chat': { format: 'other-v1' } } },
    ]);
    expect(Object.keys(turn.parts[3]?.native ?? {})).toEqual(['openai-chat']);
  });

  it('deltas that a client only collected are one block again', () => {
    const frame = { format: 'anthropic-claude-v1', index: 0 };
    const google = { type: 'reasoning.encrypted', format: 'google-gemini-v1', index: 1 };
    const turn = assistantTurn({
      content: 'Yes',
      reasoning_details: [
        { type: 'reasoning.text', text: 'A', ...frame },
        { type: 'reasoning.text', text: 'B', ...frame },
        { type: 'reasoning.text', signature: 's', ...frame },
        { ...google, data: 'one', id: 'call_1' },
        { ...google, data: 'two', id: 'call_2' },
      ],
    });
    expect(turn.parts.filter(({ type }) => type === 'reasoning')).toMatchObject([
      { text: 'AB', signature: 's' },
      { encrypted: 'one', id: 'call_1' },
      { encrypted: 'two', id: 'call_2' },
    ]);
  });

  it('fields of another dialect come back from where they travel', () => {
    const extra_content = { google: { thought_signature: 'sig' } };
    const turn = assistantTurn({
      content: 'Yes',
      extra_content,
      tool_calls: [{ ...call('c0'), extra_content }],
    });
    const google = { thought_signature: 'sig' };
    expect(turn.parts).toMatchObject([
      { type: 'text', native: { google } },
      { type: 'tool_call', native: { google, 'openai-chat': { extra_content } } },
    ]);
  });
});

describe('tool loops', () => {
  it('results name their call, also where ids come twice or not at all', () => {
    const turns = readTurns([
      GO,
      { role: 'assistant', tool_calls: [call('same', 'a'), call('same', 'b'), call(null, 'c')] },
      result('same'),
      result('same'),
      result('', []),
      { role: 'assistant', tool_calls: [call('same', 'd')] },
      { ...result('same'), is_error: true },
    ]);
    const results = turns.flatMap(({ parts }) =>
      parts.filter((part) => part.type === 'tool_result'),
    );
    expect(results.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
    expect(results[2]).toMatchObject({ callId: 'call_omnix_1_2', content: [] });
    expect(turns[1]?.parts[2]).toMatchObject({ id: 'call_omnix_1_2', idIsOurs: true });
    expect(results[3]).toMatchObject({ isError: true });
  });

  it('of the legacy form get ids of ours', () => {
    const turns = readTurns([
      GO,
      { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } },
      { role: 'function', name: 'f', content: 'ok' },
    ]);
    expect(turns[1]?.parts).toMatchObject([{ type: 'tool_call', id: 'call_omnix_1_0', name: 'f' }]);
    expect(turns[2]).toMatchObject({
      role: 'tool',
      parts: [{ type: 'tool_result', callId: 'call_omnix_1_0', name: 'f' }],
    });
  });
});

describe('what no upstream takes is refused by its path', () => {
  const image = (url: string): JsonRecord => ({
    role: 'user',
    content: [
      { type: 'text', text: 'See' },
      { type: 'image_url', image_url: { url } },
    ],
  });
  const imagePath = 'messages[1].content[1].image_url.url';

  it.each<[string, string, JsonRecord]>([
    ['an image of text', imagePath, image(`data:text/plain;base64,${PNG}`)],
    ['an image without a type', imagePath, image(`data:;base64,${PNG}`)],
    ['an image that is none', imagePath, image(`data:image/png;base64,${btoa('not an image')}`)],
    ['an image that cannot be decoded', imagePath, image('data:image/png;base64,@@@@')],
    ['an image of an impossible length', imagePath, image(`data:image/png;base64,${PNG}A`)],
    ['an empty image', imagePath, image('data:image/png;base64,')],
    ['a data URL without base64', imagePath, image('data:image/svg+xml,<svg/>')],
    ['an address that is none', imagePath, image('cat.png')],
    ['an address of this machine', imagePath, image('file:///etc/passwd')],
    [
      'audio that cannot be decoded',
      'messages[1].content[0].input_audio.data',
      {
        role: 'user',
        content: [{ type: 'input_audio', input_audio: { data: '*', format: 'wav' } }],
      },
    ],
    [
      'audio of no known format',
      'messages[1].content[0].input_audio.format',
      { role: 'user', content: [{ type: 'input_audio', input_audio: { data: PNG } }] },
    ],
    [
      'a file of nothing',
      'messages[1].content[0].file',
      { role: 'user', content: [{ type: 'file', file: { filename: 'a.pdf' } }] },
    ],
    [
      'content of an unknown type',
      'messages[1].content[0].type',
      { role: 'user', content: [{ type: 'hologram', hologram: 1 }] },
    ],
    ['an empty user message', 'messages[1].content', { role: 'user', content: '' }],
    [
      'a message of empty texts',
      'messages[1].content',
      { role: 'user', content: [{ type: 'text', text: '' }] },
    ],
    ['an empty answer', 'messages[1].content', { role: 'assistant', content: null }],
    ['a result without a call', 'messages[1].tool_call_id', result('c')],
    [
      'a legacy result without a call',
      'messages[1].name',
      { role: 'function', name: 'f', content: '' },
    ],
    [
      'a call without a result',
      'messages[1].tool_calls[0]',
      { role: 'assistant', tool_calls: [call('a')] },
    ],
    [
      'a call of nothing',
      'messages[1].tool_calls[0]',
      { role: 'assistant', tool_calls: [{ id: 'a', type: 'function' }] },
    ],
    [
      'a hint of an unknown kind',
      'messages[1].cache_control',
      { role: 'user', content: 'a', cache_control: { type: 'forever' } },
    ],
  ])('%s', (_what, param, message) => {
    expect(refusalOf([GO, message])).toBe(param);
  });

  it('results that come too late, twice, or with what a result cannot hold', () => {
    const calls = { role: 'assistant', tool_calls: [call('a'), call('b')] };
    expect(refusalOf([calls, result('a'), GO, result('b')])).toBe('messages[0].tool_calls[1]');
    expect(refusalOf([calls, result('a'), result('a')])).toBe('messages[2].tool_call_id');
    const video = [{ type: 'video_url', video_url: { url: 'https://a/b' } }];
    expect(refusalOf([calls, result('a', video)])).toBe('messages[1].content[0]');
  });
});
