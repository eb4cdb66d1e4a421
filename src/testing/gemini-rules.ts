/**
 * What generateContent refuses, as a pure function over a request body: so that a test sees a 400
 * where the real host would answer with one. It shares nothing with the dialect that writes such
 * bodies. Order and counts: Google's error texts; signatures: its page on thought signatures.
 */
import { at, isObject, listOf, objectOf, stringOf } from './recordings-json.ts';
import type { JsonObject } from './recordings-json.ts';

export interface GeminiRefusal {
  readonly path: string;
  readonly message: string;
}

interface Part {
  readonly path: string;
  readonly part: JsonObject;
}

interface Content {
  readonly path: string;
  readonly role: string;
  readonly parts: readonly Part[];
}

/** Members by the place that they stand in. */
const MEMBERS: Readonly<Record<string, string>> = {
  body:
    'contents systemInstruction tools toolConfig generationConfig safetySettings cachedContent ' +
    'serviceTier labels store',
  generationConfig:
    'temperature topP topK frequencyPenalty presencePenalty seed stopSequences responseLogprobs ' +
    'logprobs maxOutputTokens candidateCount responseMimeType responseJsonSchema ' +
    'responseModalities speechConfig thinkingConfig mediaResolution imageConfig',
  toolConfig: 'functionCallingConfig includeServerSideToolInvocations retrievalConfig',
  functionCallingConfig: 'mode allowedFunctionNames',
  thinkingConfig: 'thinkingBudget thinkingLevel includeThoughts',
  declaration: 'name description parameters parametersJsonSchema behavior',
  functionCall: 'id name args',
  functionResponse: 'id name response parts',
  inlineData: 'mimeType data displayName',
  fileData: 'mimeType fileUri displayName',
};

/** Exactly one of these says what a part is. */
const DATA: readonly string[] = (
  'text inlineData fileData functionCall functionResponse executableCode codeExecutionResult ' +
  'toolCall toolResponse'
).split(' ');

const BESIDE: readonly string[] = ['thought', 'thoughtSignature', 'videoMetadata'];

/** What Google documents for calls that its model never made. */
const PLACEHOLDERS: readonly string[] = [
  btoa('skip_thought_signature_validator'),
  btoa('context_engineering_is_the_way_to_go'),
];

/** The signature under which the fake gives a call out, and takes it back. */
export function signCall(name: string, args: unknown): string {
  const said = `${name} ${JSON.stringify(args)}`;
  let hash = 0x811c9dc5;
  for (const char of said) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return btoa(`signed-${(hash >>> 0).toString(16)}`);
}

/** The first thing that is wrong with the body, or null. `strict`: Gemini 3, which wants proof. */
export function refuseGenerateContent(body: unknown, strict: boolean): GeminiRefusal | null {
  const contents = listOf(at(body, 'contents')).map(readContent);
  const [first] = [
    ...checkBody(body),
    ...(contents.length === 0 ? [no('contents', 'at least one content is required')] : []),
    ...contents.flatMap(checkContent),
    ...checkOrder(contents),
    ...(strict ? checkSignatures(contents) : []),
  ];
  return first ?? null;
}

function no(path: string, message: string): GeminiRefusal {
  return { path, message };
}

function readContent(content: unknown, index: number): Content {
  const path = `contents[${index}]`;
  const parts = listOf(at(content, 'parts')).map((part, position) => ({
    path: `${path}.parts[${position}]`,
    part: objectOf(part),
  }));
  return { path, role: stringOf(at(content, 'role')), parts };
}

function unknownIn(value: unknown, place: string, path: string): readonly GeminiRefusal[] {
  const known = (MEMBERS[place] ?? '').split(' ');
  return Object.keys(objectOf(value))
    .filter((member) => !known.includes(member))
    .map((member) => no(`${path}.${member}`, 'unknown name'));
}

function checkBody(body: unknown): readonly GeminiRefusal[] {
  const config = at(body, 'generationConfig');
  const thinking = at(config, 'thinkingConfig');
  const format = at(config, 'responseJsonSchema');
  const calling = at(body, 'toolConfig', 'functionCallingConfig');
  const declared = listOf(at(body, 'tools')).flatMap((tool) =>
    listOf(at(tool, 'functionDeclarations')),
  );
  const both = isObject(thinking) && 'thinkingBudget' in thinking && 'thinkingLevel' in thinking;
  return [
    ...unknownIn(body, 'body', 'body'),
    ...unknownIn(config, 'generationConfig', 'generationConfig'),
    ...unknownIn(thinking, 'thinkingConfig', 'thinkingConfig'),
    ...unknownIn(at(body, 'toolConfig'), 'toolConfig', 'toolConfig'),
    ...unknownIn(calling, 'functionCallingConfig', 'functionCallingConfig'),
    ...declared.flatMap(checkDeclaration),
    ...checkCalling(
      calling,
      declared.map((one) => stringOf(at(one, 'name'))),
    ),
    ...(both ? [no('thinkingConfig', 'budget and level together')] : []),
    ...(format !== undefined && at(config, 'responseMimeType') !== 'application/json'
      ? [no('generationConfig', 'a schema without its media type')]
      : []),
    ...(listOf(at(config, 'stopSequences')).length > 5 ? [no('stopSequences', 'too many')] : []),
  ];
}

function checkDeclaration(declaration: unknown, index: number): readonly GeminiRefusal[] {
  const path = `functionDeclarations[${index}]`;
  const schema = at(declaration, 'parametersJsonSchema');
  return [
    ...unknownIn(declaration, 'declaration', path),
    ...(/^[a-zA-Z_][\w.:-]{0,63}$/.test(stringOf(at(declaration, 'name')))
      ? []
      : [no(path, 'invalid function name')]),
    ...(schema === undefined || isObject(schema) ? [] : [no(path, 'the schema is no object')]),
    ...(schema !== undefined && at(declaration, 'parameters') !== undefined
      ? [no(path, 'two schemas')]
      : []),
  ];
}

function checkCalling(calling: unknown, names: readonly string[]): readonly GeminiRefusal[] {
  if (calling === undefined) return [];
  const path = 'functionCallingConfig';
  const mode = stringOf(at(calling, 'mode'));
  const allowed = at(calling, 'allowedFunctionNames');
  const strangers = listOf(allowed).filter((name) => !names.includes(stringOf(name)));
  return [
    ...(['AUTO', 'ANY', 'NONE', 'VALIDATED'].includes(mode) ? [] : [no(path, 'no such mode')]),
    ...(names.length === 0 ? [no(path, 'set without function declarations')] : []),
    ...(allowed !== undefined && !['ANY', 'VALIDATED'].includes(mode)
      ? [no(path, 'allowed names go with ANY only')]
      : []),
    ...(strangers.length > 0 ? [no(path, 'an allowed name was not declared')] : []),
  ];
}

function checkContent({ path, role, parts }: Content): readonly GeminiRefusal[] {
  return [
    ...(role === 'user' || role === 'model' ? [] : [no(path, 'valid roles: user, model')]),
    ...(parts.length === 0 ? [no(path, 'parts must not be empty')] : []),
    ...parts.flatMap((part) => checkPart(part, role)),
  ];
}

function checkPart({ path, part }: Part, role: string): readonly GeminiRefusal[] {
  const data = Object.keys(part).filter((member) => DATA.includes(member));
  const others = Object.keys(part).filter((member) => ![...DATA, ...BESIDE].includes(member));
  const [kind = ''] = data;
  const place = kind === 'functionResponse' ? 'user' : role;
  const said = objectOf(part[kind]);
  return [
    ...others.map((member) => no(`${path}.${member}`, 'unknown name')),
    ...(data.length === 1 ? [] : [no(path, 'exactly one kind of data is required')]),
    ...(place === role && !(kind === 'functionCall' && role === 'user')
      ? []
      : [no(path, 'not in a content of this role')]),
    ...(kind in MEMBERS ? unknownIn(part[kind], kind, `${path}.${kind}`) : []),
    ...checkData(kind, said, path),
  ];
}

function checkData(kind: string, said: JsonObject, path: string): readonly GeminiRefusal[] {
  if (kind === 'functionCall') {
    return isObject(said['args']) ? [] : [no(path, 'args is no object')];
  }
  if (kind === 'functionResponse') {
    return isObject(said['response']) ? [] : [no(path, 'response is no object')];
  }
  if (kind !== 'inlineData' && kind !== 'fileData') return [];
  const body = stringOf(said[kind === 'inlineData' ? 'data' : 'fileUri']);
  const typed = /^\w+\/[\w.+-]+/.test(stringOf(said['mimeType']));
  return typed && body !== '' ? [] : [no(path, 'media need a type and their data')];
}

function named(content: Content | undefined, kind: string): readonly Part[] {
  return (content?.parts ?? []).filter(({ part }) => kind in part);
}

/** Calls follow a user, results follow their calls at once, each exactly one. */
function checkOrder(contents: readonly Content[]): readonly GeminiRefusal[] {
  return contents.flatMap((content, index): readonly GeminiRefusal[] => {
    const before = contents[index - 1];
    const calls = named(content, 'functionCall');
    const results = named(content, 'functionResponse');
    const asked = named(before, 'functionCall');
    if (calls.length > 0 && before?.role !== 'user') {
      return [no(content.path, 'a function call must follow a user or a function response')];
    }
    if (asked.length !== results.length) {
      return [no(content.path, 'as many function responses as function calls are required')];
    }
    if (calls.length > 0 && index === contents.length - 1) {
      return [no(content.path, 'the function calls have no responses')];
    }
    return results.flatMap((result) => checkResult(result, asked));
  });
}

function checkResult({ path, part }: Part, asked: readonly Part[]): readonly GeminiRefusal[] {
  const response = objectOf(part['functionResponse']);
  const matches = asked.some(({ part: other }) => {
    const call = objectOf(other['functionCall']);
    return call['name'] === response['name'] && call['id'] === response['id'];
  });
  return matches ? [] : [no(path, 'no function call has this name and id')];
}

/** The first call of each content is signed, for just this call; so is every image of the model. */
function checkSignatures(contents: readonly Content[]): readonly GeminiRefusal[] {
  return contents.flatMap((content) => {
    const calls = named(content, 'functionCall');
    return calls.flatMap(({ path, part }, index): readonly GeminiRefusal[] => {
      const signature = part['thoughtSignature'];
      if (signature === undefined) {
        return index === 0 ? [no(path, 'the function call is missing a thought_signature')] : [];
      }
      const call = objectOf(part['functionCall']);
      const own = signCall(stringOf(call['name']), call['args']);
      const known = signature === own || PLACEHOLDERS.includes(stringOf(signature));
      return known ? [] : [no(path, 'the thought signature is not valid')];
    });
  });
}
