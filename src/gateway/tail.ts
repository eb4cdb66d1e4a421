/** The members of ours in an answer: what it cost, who served it, and what was lost on the way. */
import type { JsonEdit } from '#base/json-edit.ts';
import type { Usage } from '#wire/usage.ts';
import type { AnswerTail } from './answer.ts';

/** For an answer that passes as bytes. `usage` is JSON text. */
export function tailEdits({ providerName, warnings }: AnswerTail, usage: string): JsonEdit[] {
  const edits: JsonEdit[] = [
    { op: 'set', key: 'usage', json: usage },
    { op: 'set', key: 'provider', json: JSON.stringify(providerName) },
  ];
  if (warnings.length > 0) {
    edits.push({ op: 'set', key: 'warnings', json: JSON.stringify(warnings) });
  }
  return edits;
}

/** For an answer that is written anew: JSON text, with a comma before each, as others precede. */
export function tailMembers({ providerName, warnings }: AnswerTail, usage: string): string {
  const warned = warnings.length === 0 ? '' : `,"warnings":${JSON.stringify(warnings)}`;
  return `,"provider":${JSON.stringify(providerName)}${warned},"usage":${usage}`;
}

/** A usage object of another dialect stands beside OpenAI's members, not among them. */
export function usageApart(usage: Usage): Usage {
  const { native } = usage;
  const apart = native === null || native === undefined ? null : { native_usage: native };
  return { ...usage, native: apart };
}
