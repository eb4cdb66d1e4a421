/** What the writers of one request share: the model's family, warnings, ids and names so far. */
import type { CacheHint } from '#providers/form.ts';
import type { Warning } from '#providers/provider.ts';
import { callIds } from './call-ids.ts';
import type { CallIds } from './call-ids.ts';
import type { ModelFamily } from './families.ts';
import { documentNames } from './media.ts';
import type { Block, DocumentNames } from './media.ts';

export interface Place {
  readonly family: ModelFamily;
  readonly warnings: Warning[];
  readonly ids: CallIds;
  readonly names: DocumentNames;
}

export function placeOf(family: ModelFamily): Place {
  return { family, warnings: [], ids: callIds(family.openCallIds), names: documentNames() };
}

export function warn(
  place: Place,
  code: Warning['code'],
  { param, message }: { readonly param: string; readonly message: string },
): void {
  place.warnings.push({ code, param, message });
}

/** The cache point of a hint; null where the family takes none. Told once a request. */
export function cachePoint(hint: CacheHint, place: Place, param: string): Block | null {
  const { cache } = place.family;
  const told = (code: Warning['code']) =>
    place.warnings.some((said) => said.code === code && said.message.includes('cache'));
  if (cache === null) {
    const message = 'This model decides by itself what it caches; cache_control was left out.';
    if (!told('ignored')) warn(place, 'ignored', { param: `${param}.cache_control`, message });
    return null;
  }
  if (hint.lifetime === '5m') return { cachePoint: { type: 'default' } };
  if (cache.hour) return { cachePoint: { type: 'default', ttl: '1h' } };
  const message = 'This model keeps its cache for five minutes and not for an hour.';
  if (!told('clamped')) warn(place, 'clamped', { param: `${param}.cache_control.ttl`, message });
  return { cachePoint: { type: 'default' } };
}
