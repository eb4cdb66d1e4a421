/**
 * A request of embeddings as one host wants it: spliced where the host speaks the caller's dialect,
 * translated where it does not.
 */
import { toBytes } from '#base/bytes.ts';
import { editJson } from '#base/json-edit.ts';
import type { JsonIndex } from '#base/json-index.ts';
import type { EmbeddingsForm } from '#providers/embeddings.ts';
import type { Warning } from '#providers/provider.ts';
import { EMBEDDINGS_OWN_FIELDS } from '#wire/embeddings/request.ts';
import { embeddingsOf } from '../endpoint.ts';
import { editsFor, membersOf, NO_HEADERS, refuseLoss, unspoken } from '../host-body.ts';
import type { HostBody } from '../inference.ts';
import type { Candidate } from '../plan.ts';

export interface EmbeddingsSource {
  readonly index: JsonIndex;
  readonly form: EmbeddingsForm;
  readonly isPiece: boolean;
  readonly requireParameters: boolean;
}

const ACCEPT = 'application/json';

/** Throws CannotSay. */
export function embeddingsBodyFor(source: EmbeddingsSource, candidate: Candidate): HostBody {
  const { target } = candidate.endpoint;
  const { codec, passThrough } = embeddingsOf(candidate.endpoint);
  if (passThrough !== undefined && !source.isPiece) {
    const { index } = source;
    const { edits: adapted, warnings } = passThrough.adapt(membersOf(index), target);
    refuseLoss(source.requireParameters, warnings);
    const edits = editsFor(index, candidate, { adapted, ownFields: EMBEDDINGS_OWN_FIELDS });
    const body = edits.length === 0 ? index.bytes : editJson(index, edits);
    return { body, accept: ACCEPT, warnings, headers: NO_HEADERS };
  }
  const encoded = codec.encode(source.form, target);
  const warnings = [...encoded.warnings, ...unspoken(extrasLost(source.form), encoded)];
  refuseLoss(source.requireParameters, warnings);
  return {
    body: toBytes(JSON.stringify(encoded.body)),
    accept: ACCEPT,
    warnings,
    headers: encoded.headers ?? NO_HEADERS,
  };
}

/** What the form has no word for, and a codec may know nothing of. */
function extrasLost({ extras }: EmbeddingsForm): readonly Warning[] {
  const message = 'This provider has no such setting for embeddings.';
  return Object.keys(extras).map((param) => ({ code: 'dropped', param, message }));
}
