/**
 * In which dialect a host is asked, and a request in the common form, for upstreams of other
 * dialects: parsed and read once, when the first of them is tried. Requests that only pass through
 * never pay for it.
 */
import { toText } from '#base/bytes.ts';
import type { JsonIndex } from '#base/json-index.ts';
import type { ChatForm } from '#providers/form.ts';
import { recordOf } from '#providers/json.ts';
import { readForm } from '#providers/dialects/openai-chat/read-form.ts';
import type { ChatSupport } from '#providers/provider.ts';
import { OWN_FIELDS } from '#wire/chat/request.ts';
import { chatOf, type Endpoint } from '../endpoint.ts';
import { membersOf } from '../host-body.ts';

export interface FormSource {
  readonly index: JsonIndex;
  /** Read when a host of another dialect is first tried, and kept for those after it. */
  form: ChatForm | null;
}

/** Without the fields of ours. Throws CannotSay where the form has no word for something. */
export function formOf(source: FormSource): ChatForm {
  if (source.form !== null) return source.form;
  const body: unknown = JSON.parse(toText(source.index.bytes));
  const members = Object.entries(recordOf(body)).filter(([key]) => !OWN_FIELDS.includes(key));
  source.form = readForm(Object.fromEntries(members));
  return source.form;
}

/** How an endpoint is spoken to, and answers: the same for all requests but few. */
export function chatFor({ index }: FormSource, endpoint: Endpoint): ChatSupport {
  const chat = chatOf(endpoint);
  if (chat.detour === undefined) return chat;
  return chat.detour(membersOf(index)) ?? chat;
}
