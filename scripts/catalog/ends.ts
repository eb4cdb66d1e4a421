/**
 * When hosts and labs stop serving a model, and what takes its place. Decided by hand from the
 * labs' pages; where they say nothing, litellm's date holds.
 */
import type { Host } from './host.ts';
import type { Sources } from './sources.ts';

/** The first match counts. No date: it stays, whatever a data set says. */
type End = readonly [id: RegExp, date: string | null, successor?: string];

/**
 * By provider, matching the host's id. OpenAI: its deprecations page
 * (developers.openai.com/api/docs/deprecations), read from copies of 2026-04-22, 2026-05-14,
 * 2026-10-15 and 2026-10-28.
 */
const OPENAI: readonly End[] = [
  [/^gpt-5(\.1)?-(chat-latest|codex)/, '2026-07-23'],
  [
    /^gpt-5\.2-codex$|deep-research|^gpt-audio-mini-2025-10-06$|-(search|audio)-preview/,
    '2026-07-23',
  ],
  [/^gpt-5\.[23]-chat-latest$/, '2026-08-10', 'gpt-chat-latest'],
  [/^gpt-3\.5/, '2026-10-23', 'gpt-5.6-terra'],
  [/^(gpt-4$|gpt-4-|gpt-4o-2024-05-13|o1|o3-mini)/, '2026-10-23', 'gpt-5.6-sol'],
  [/^o4-mini/, '2026-10-23', 'gpt-5.6-terra'],
  [/^gpt-4\.1-nano/, '2026-10-23', 'gpt-5.6-luna'],
  [/^gpt-5-mini(-2025-\d\d-\d\d)?$/, '2026-12-11', 'gpt-5.6-terra'],
  [/^gpt-5-nano(-2025-\d\d-\d\d)?$/, '2026-12-11', 'gpt-5.6-luna'],
  [/^gpt-5(-pro)?(-2025-\d\d-\d\d)?$/, '2026-12-11', 'gpt-5.6-sol'],
  [/^o3(-pro)?(-2025-\d\d-\d\d)?$/, '2026-12-11', 'gpt-5.6-sol'],
  [/^gpt-(4o|4\.1)(-mini)?(-20\d\d-\d\d-\d\d)?$/, '2027-01-14', 'gpt-6-luna'],
  [/^gpt-audio/, '2027-01-20'],
  [/^(gpt-image-1$|dall-e)/, '2026-10-23', 'gpt-image-2'],
  [/^(gpt-image-1-mini|gpt-image-1\.5|chatgpt-image-latest)/, '2026-12-01'],
  [/^(tts-1|gpt-4o-mini-tts)/, '2027-01-06'],
  [/^(whisper-1|gpt-4o.*-transcribe)/, '2027-02-26'],
  [/^gpt-5\.1(-2025-11-13)?$|^gpt-5\.3-codex$|^gpt-5\.4-nano/, '2027-04-01'],
];

/**
 * platform.claude.com/docs/en/about-claude/model-deprecations and its release notes of 2026-06-15,
 * by copies and projects that follow them; Opus 4.1's day is litellm's, too. For Haiku 3 no copy of
 * the day was at hand: models.dev only calls it deprecated. Where no page names a successor, it is
 * the youngest of the line on 2026-06-15.
 */
const ANTHROPIC: readonly End[] = [
  [/^claude-(1|2|instant|v1)/, '2025-07-21', 'claude-sonnet-4-6'],
  [/^claude-3-sonnet/, '2025-07-21', 'claude-sonnet-4-6'],
  [/^claude-3-5-sonnet/, '2025-10-28', 'claude-sonnet-4-6'],
  [/^claude-3-opus/, '2026-01-05', 'claude-opus-4-8'],
  [/^claude-3-7-sonnet/, '2026-02-19', 'claude-sonnet-4-6'],
  [/^claude-3-5-haiku/, '2026-02-19', 'claude-haiku-4-5'],
  [/^claude-3-haiku/, '2026-04-20', 'claude-haiku-4-5'],
  [/^claude-sonnet-4(-0|-20250514)?$/, '2026-06-15', 'claude-sonnet-4-6'],
  [/^claude-opus-4(-0|-20250514)?$/, '2026-06-15', 'claude-opus-4-8'],
  [/^claude-opus-4-1(-20250805)?$/, '2026-08-05', 'claude-opus-4-8'],
];

/**
 * ai.google.dev/gemini-api/docs/deprecations, read from copies, the last of 2026-11-10. Where the
 * page names no successor, it is the next of the line.
 */
const GEMINI: readonly End[] = [
  [/^gemini-1|^gemini-pro(-vision)?$/, '2025-09-29', 'gemini-3.5-flash'],
  [/^gemini-2\.0-flash-lite/, '2026-06-01', 'gemini-2.5-flash-lite'],
  [/^gemini-2\.0-flash/, '2026-06-01', 'gemini-3.5-flash-lite'],
  [/^gemini-3-pro-preview$/, '2026-03-09', 'gemini-3.1-pro-preview'],
  [/^gemini-3\.1-flash-lite-preview$/, '2026-05-25', 'gemini-3.1-flash-lite'],
  [/^gemini-2\.5-flash-lite$/, null],
  [/^gemini-2\.5-flash$/, '2026-12-01', 'gemini-3.5-flash-lite'],
  [/^gemini-2\.5-pro$/, '2026-12-01', 'gemini-3.8-flash'],
  [/^gemini-3\.1-flash-lite$/, '2027-05-07'],
];

const ENDS: Readonly<Record<string, readonly End[]>> = {
  openai: OPENAI,
  anthropic: ANTHROPIC,
  gemini: GEMINI,
  // api-docs.deepseek.com/news/news260424
  deepseek: [[/^deepseek-(chat|reasoner)$/, '2026-07-24', 'deepseek-v4-flash']],
  // Groq's notice of June 2026 (console.groq.com/docs/deprecations), by two projects that follow
  // it.
  groq: [[/^llama-3\.(3-70b-versatile|1-8b-instant)$/, '2026-08-16']],
  // What litellm has for an end is the day before which Azure promised not to retire it; the set of
  // September 2026 still has its price.
  'azure-openai': [[/^text-embedding-3-small$/, null]],
  // docs.mistral.ai, model cards: Devstral Medium 1.0, Mistral Large 2.1
  mistral: [
    [/^devstral-medium-2507$/, '2026-05-31', 'devstral-2512'],
    [/^mistral-large-2411$/, '2026-05-31', 'mistral-large-2512'],
  ],
};

/** Labs that alone decide when their closed models end, by what their public ids look like. */
const CLOSED: readonly (readonly [id: RegExp, ends: readonly End[]])[] = [
  [/^(gpt-(?!oss)|o\d|chatgpt-|tts-1|whisper-1)/, OPENAI],
  [/^claude-/, ANTHROPIC],
  [/^gemini-/, GEMINI],
  [/^deepseek-(chat|reasoner)$/, ENDS['deepseek'] ?? []],
];

function endOf(ends: readonly End[], id: string): End | undefined {
  return ends.find(([pattern]) => pattern.test(id));
}

/** The day on which a host stops serving a model. */
export function shutdownOf(host: Host, id: string, sources: Sources): string | undefined {
  const byHand = endOf(ENDS[host.providerId] ?? [], id);
  if (byHand !== undefined) return byHand[1] ?? undefined;
  for (const prefix of host.litellm) {
    const date = sources.litellmModel(prefix + id)?.deprecation_date;
    if (date !== undefined) return date;
  }
  return undefined;
}

/** When the lab itself ends a closed model; weights that are open never end. */
export function labShutdown(id: string): {
  readonly shutdown?: string;
  readonly successor?: string;
} {
  const ends = CLOSED.find(([pattern]) => pattern.test(id))?.[1] ?? [];
  const [, shutdown, successor] = endOf(ends, id) ?? [];
  return {
    ...(shutdown === undefined || shutdown === null ? {} : { shutdown }),
    ...(successor === undefined ? {} : { successor }),
  };
}

/** What a host's own page recommends in the place of a model. */
export function successorOf(host: Host, id: string): string | null {
  return endOf(ENDS[host.providerId] ?? [], id)?.[2] ?? null;
}
