/** Takes out of AWS's words what is the operator's: account numbers and names of resources. */
import { redact } from '../openai-chat/redact.ts';

const ARN = /\barn:aws[\w-]*:[^\s"',;)\]}]+/gi;
const ACCESS_KEY = /\b(?:AKIA|ASIA|ABSK)[A-Za-z0-9+/=]{8,}/g;
/** Of an account. A count of tokens is never as long. */
const ACCOUNT = /\b\d{12}\b/g;

/** One line of plain text without secrets, as `redact` makes it, and without AWS's own. */
export function redactAws(message: string): string {
  const text = message
    .replace(ARN, '[redacted]')
    .replace(ACCESS_KEY, '[redacted]')
    .replace(ACCOUNT, '[redacted]');
  return redact(text);
}
