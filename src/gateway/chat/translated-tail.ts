/** The end of a translated chat answer. */
import type { AnswerTail } from '../answer.ts';
import { tailMembers, usageApart } from '../tail.ts';
import { usageJson } from './usage-json.ts';

/** JSON text of the members of ours, with a comma before each. */
export function translatedTail(tail: AnswerTail): string {
  const { usage, cost } = tail;
  return tailMembers(tail, usageJson({ usage: usageApart(usage), usageText: null, cost }));
}
