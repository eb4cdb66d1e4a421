/**
 * How the wished format of the answer is had: natively, by a tool whose call is the answer, or by
 * asking for it.
 */
import type { ChatForm, OutputFormat } from '#providers/form.ts';
import { isRecord } from '#providers/json.ts';
import type { Block, EncodePlace } from './encode-place.ts';
import { closeSchema } from './output-schema.ts';
import { OUTPUT_TOOL, present } from './native.ts';

export interface OutputPlan {
  /** For `output_config.format`. */
  readonly format?: Block;
  /** The tool that stands in for a format. */
  readonly tool?: Block;
  /** Added to `system`. */
  readonly instruction?: string;
}

const JSON_INSTRUCTION =
  'Answer with one valid JSON object and nothing else: no prose around it and no code fence.';

export function planOutput(form: ChatForm, place: EncodePlace): OutputPlan {
  const { output } = form;
  if (output.kind === 'text') return {};
  if (output.kind === 'json') {
    const message = 'This provider has no plain JSON mode; the model was asked for JSON in words.';
    place.warn('emulated', 'response_format', message);
    return { instruction: JSON_INSTRUCTION };
  }
  if (place.traits.nativeOutput && place.habits.nativeOutput) {
    const schema = closeSchema(output.schema);
    if (schema !== null) return { format: { type: 'json_schema', schema } };
  }
  return emulate(output, place);
}

type SchemaOutput = Extract<OutputFormat, { readonly kind: 'json_schema' }>;

function emulate(output: SchemaOutput, place: EncodePlace): OutputPlan {
  const message =
    'The schema was sent as a tool that the model has to call; its call is the answer.';
  place.warn('emulated', 'response_format', message);
  const tool = {
    name: OUTPUT_TOOL,
    description: output.description ?? `Gives the final answer, "${output.name}", in its format.`,
    input_schema: objectSchema(output.schema),
  };
  if (place.traits.forcedTools) return { tool };
  // Where no call can be demanded it can only be asked for.
  return { tool, instruction: `Give your final answer by calling the tool ${OUTPUT_TOOL}.` };
}

/** Tools take objects only; a schema without a type is taken for one of an object. */
export function objectSchema(schema: unknown): Block {
  return { type: 'object', ...(isRecord(schema) ? present(schema) : { properties: {} }) };
}
