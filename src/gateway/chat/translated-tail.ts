/**
 * The members of ours at the end of a translated answer. The upstream's usage object is of another
 * dialect: it stands beside OpenAI's members, not among them.
 */
import type { AnswerTail } from '../answer.ts';
import { usageJson } from './usage-json.ts';

/** JSON text of members, with a comma before each: they follow others. */
export function tailMembers(tail: AnswerTail): string {
  const { usage, cost, providerName, warnings } = tail;
  const { native } = usage;
  const apart = native === null || native === undefined ? null : { native_usage: native };
  const told = usageJson({ usage: { ...usage, native: apart }, usageText: null, cost });
  const warned = warnings.length === 0 ? '' : `,"warnings":${JSON.stringify(warnings)}`;
  return `,"provider":${JSON.stringify(providerName)}${warned},"usage":${told}`;
}
