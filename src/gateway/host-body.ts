/**
 * What every modality does to make the caller's body a host's: the model under the host's name, the
 * fields of ours taken out, and a refusal where the caller wants nothing left out.
 */
import type { JsonEdit } from '#base/json-edit.ts';
import { JSON_OBJECT, JSON_TRUE, type JsonIndex } from '#base/json-index.ts';
import { recordOf } from '#providers/json.ts';
import {
  CannotSay,
  type BodyEdit,
  type BodyMembers,
  type Encoded,
  type HeaderPairs,
  type Warning,
} from '#providers/provider.ts';
import type { Candidate } from './plan.ts';

export const NO_HEADERS: HeaderPairs = [];

export function membersOf(index: JsonIndex): BodyMembers {
  return {
    has: (key) => index.member(0, key) >= 0,
    raw: (key) => {
      const node = index.member(0, key);
      return node < 0 ? undefined : index.raw(node);
    },
  };
}

/** The sandbox reads its parameters off the name: `sandbox/slow?ms=50`. */
function upstreamModel({ endpoint, requestedName }: Candidate): string {
  const query = requestedName.indexOf('?');
  const model = endpoint.target.model;
  return query < 0 || endpoint.book === 'live' ? model : model + requestedName.slice(query);
}

/** The host's own edits, then the model's name, then what only we understand (`ownFields`). */
export function editsFor(
  index: JsonIndex,
  candidate: Candidate,
  more: { readonly adapted: readonly BodyEdit[]; readonly ownFields: readonly string[] },
): JsonEdit[] {
  const model = upstreamModel(candidate);
  const edits: JsonEdit[] = [...more.adapted];
  if (index.string(index.member(0, 'model')) !== model) {
    edits.push({ op: 'set', key: 'model', json: JSON.stringify(model) });
  }
  for (const key of more.ownFields) {
    if (index.member(0, key) >= 0) edits.push({ op: 'remove', key });
  }
  return edits;
}

/** Whether the caller wants every setting taken as it stands (`provider.require_parameters`). */
export function requiresParameters(index: JsonIndex): boolean {
  const provider = index.member(0, 'provider');
  if (provider < 0 || index.kind(provider) !== JSON_OBJECT) return false;
  return index.kind(index.member(provider, 'require_parameters')) === JSON_TRUE;
}

/** Of members that would be lost, those that neither reach the host nor were spoken of. */
export function unspoken(lost: readonly Warning[], encoded: Encoded): readonly Warning[] {
  const known = new Set(encoded.said);
  for (const { param } of encoded.warnings) known.add(param);
  const body = recordOf(encoded.body);
  return lost.filter(({ param }) => !known.has(param) && !Object.hasOwn(body, param));
}

/** What the caller asked for and would not get. A name or a way of ours that does it is no loss. */
const LOSSES: ReadonlySet<Warning['code']> = new Set(['dropped', 'clamped', 'ignored']);

/** `provider.require_parameters`: a host that would take less than was said is not asked. */
export function refuseLoss(requireParameters: boolean, warnings: readonly Warning[]): void {
  if (!requireParameters) return;
  const loss = warnings.find(({ code }) => LOSSES.has(code));
  if (loss === undefined) return;
  throw new CannotSay(
    loss.param,
    `${loss.message} As provider.require_parameters is true, it is not left out.`,
  );
}
