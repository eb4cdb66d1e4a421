/**
 * A request in the common form, for upstreams of other dialects: parsed and read once, when the
 * first of them is tried. Requests that only pass through never pay for it.
 */
import { toText } from '#base/bytes.ts';
import type { ChatForm } from '#providers/form.ts';
import { recordOf } from '#providers/json.ts';
import { readForm } from '#providers/dialects/openai-chat/read-form.ts';
import { OWN_FIELDS } from '#wire/chat/request.ts';
import type { ChatRequestReading } from './read-request.ts';

/** Without the fields of ours. Throws CannotSay where the form has no word for something. */
export function formOf(reading: ChatRequestReading): ChatForm {
  if (reading.form !== null) return reading.form;
  const body: unknown = JSON.parse(toText(reading.index.bytes));
  const members = Object.entries(recordOf(body)).filter(([key]) => !OWN_FIELDS.includes(key));
  reading.form = readForm(Object.fromEntries(members));
  return reading.form;
}
