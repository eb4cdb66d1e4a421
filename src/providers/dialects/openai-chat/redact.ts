/**
 * Takes out of an upstream's words what belongs to the operator and not to the caller: keys (also
 * in their masked forms), organization ids, the names of his resources. A net under the rule that
 * only refusals of the caller's own request are shown; not the rule itself.
 */

const MESSAGE_LENGTH_MAX = 2_000;

const PRIVATE_PATTERNS: readonly RegExp[] = [
  // sk-..., gsk_..., xai-..., csk-..., nvapi-..., pplx-..., hf_..., AIza..., with stars where
  // masked.
  /\b(?:sk|gsk|xai|csk|nvapi|pplx|fw|tgp|hf|key|AIza)[-_][\w*.-]{4,}/gi,
  /\bAIza[\w-]{10,}/g,
  /\bbearer\s+[\w.~+/*=-]{6,}/gi,
  // Any word with a run of stars is something that was masked.
  /[\w-]*\*{3,}[\w*-]*/g,
  /\b(?:org|proj|team|acct|user)[-_][A-Za-z0-9]{6,}/g,
  /\b[\w-]+\.(?:openai|cognitiveservices|services\.ai)\.azure\.com/gi,
];

/** One line of plain text of at most 2,000 characters, without secrets. */
export function redact(message: string): string {
  let text = message.slice(0, 4 * MESSAGE_LENGTH_MAX);
  for (const pattern of PRIVATE_PATTERNS) text = text.replace(pattern, '[redacted]');
  // Control characters have no place in a message or a header made of it.
  text = text.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim();
  return text.length > MESSAGE_LENGTH_MAX ? `${text.slice(0, MESSAGE_LENGTH_MAX - 3)}...` : text;
}
