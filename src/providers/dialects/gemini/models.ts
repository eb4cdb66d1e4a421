/**
 * What the generations of Gemini differ in on the wire. Known by the model's name, because nothing
 * else tells: how thinking is asked for, and whether history without thought signatures is refused.
 * Facts: https://ai.google.dev/gemini-api/docs/thinking and the pages on each model of
 * docs.cloud.google.com/gemini-enterprise-agent-platform (read 2026-11).
 */

export type ThinkingLevel = 'MINIMAL' | 'LOW' | 'MEDIUM' | 'HIGH';

export type Thinking =
  | { readonly by: 'none' }
  /** `thinkingBudget` in tokens. `off`: 0 switches thinking off. */
  | { readonly by: 'budget'; readonly min: number; readonly max: number; readonly off: boolean }
  /** `thinkingLevel`; lowest first. Cannot be switched off. */
  | { readonly by: 'level'; readonly levels: readonly ThinkingLevel[] };

export interface ModelTraits {
  readonly thinking: Thinking;
  /** 400 where the first call of a turn, or an image that the model made, comes back unsigned. */
  readonly demandsSignatures: boolean;
  /** Whether structured output and tools of its own go together with the caller's functions. */
  readonly combinesTools: boolean;
}

const NONE: Thinking = { by: 'none' };
const ALL_LEVELS: Thinking = { by: 'level', levels: ['MINIMAL', 'LOW', 'MEDIUM', 'HIGH'] };
const NO_MINIMAL: Thinking = { by: 'level', levels: ['LOW', 'MEDIUM', 'HIGH'] };
const LOW_OR_HIGH: Thinking = { by: 'level', levels: ['LOW', 'HIGH'] };

/** First match wins. Models before 2.5 do not think; image and speech models take no wishes. */
const THINKING: readonly (readonly [RegExp, Thinking])[] = [
  [/^gemini-(1|2\.0)|image|-tts|live|native-audio/, NONE],
  [/^gemini-2\.5-flash-lite/, { by: 'budget', min: 512, max: 24_576, off: true }],
  [/^gemini-2\.5-flash/, { by: 'budget', min: 1, max: 24_576, off: true }],
  [/^gemini-2\.5-pro/, { by: 'budget', min: 128, max: 32_768, off: false }],
  [/^gemini-3-pro/, LOW_OR_HIGH],
  [/^gemini-3(\.[1-6])?-flash/, ALL_LEVELS],
  // Later ones and the "-latest" names: what all of them take. 3.7 refuses MINIMAL.
  [/^gemini-/, NO_MINIMAL],
];

/** By the model's id, with or without a path before it. Never throws. */
export function traitsOf(model: string): ModelTraits {
  const name = model.slice(model.lastIndexOf('/') + 1).toLowerCase();
  const thinking = THINKING.find(([pattern]) => pattern.test(name))?.[1] ?? NONE;
  const third = /^gemini-(?!1|2\.)/.test(name);
  return { thinking, demandsSignatures: third, combinesTools: third };
}
