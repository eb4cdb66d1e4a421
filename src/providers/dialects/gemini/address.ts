/** Where a model of Google's is under a base URL: the method stands behind its name. */
import type { Operation, UpstreamAddress } from '#providers/provider.ts';

interface Place {
  readonly baseUrl: string;
  /** Put in front where the base URL has no path: official SDKs add the version themselves. */
  readonly rootPath: string;
  /** From `models` or `projects` on, without a slash before it, each segment encoded. */
  readonly path: string;
}

/** Trailing slashes do not double, and a query of the base URL stays. */
export function underBase({ baseUrl, rootPath, path }: Place): UpstreamAddress {
  const url = new URL(baseUrl);
  const base = url.pathname.replace(/\/+$/, '');
  url.pathname = `${base === '' ? rootPath : base}/${path}`;
  return { method: 'POST', url: url.href };
}

/** The same for generateContent, or its stream as server-sent events. */
export function generateContentAddress(place: Place, operation: Operation): UpstreamAddress {
  if (operation !== 'chat_stream')
    return underBase({ ...place, path: `${place.path}:generateContent` });
  const { method, url } = underBase({ ...place, path: `${place.path}:streamGenerateContent` });
  const streamed = new URL(url);
  streamed.searchParams.set('alt', 'sse');
  return { method, url: streamed.href };
}
