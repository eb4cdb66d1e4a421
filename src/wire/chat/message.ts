/**
 * The messages of a chat request, by role, open for the fields that hosts add (reasoning_content
 * ...).
 */
import { z } from '../z.ts';
import { contentSchema } from './content.ts';

const functionCallSchema = z.looseObject({ name: z.string(), arguments: z.string() });

/** A call that the model made earlier. Some clients leave `type` out where it is a function's. */
const toolCallSchema = z.looseObject({
  id: z.string().nullish(),
  type: z.string().nullish(),
  function: functionCallSchema.nullish(),
  custom: z.looseObject({ name: z.string(), input: z.string() }).nullish(),
});

const instructionFields = { content: contentSchema, name: z.string().nullish() };

export const messageSchema = z.discriminatedUnion('role', [
  z.looseObject({ role: z.literal('user'), ...instructionFields }),
  z.looseObject({
    role: z.literal('assistant'),
    content: contentSchema.optional(),
    name: z.string().nullish(),
    refusal: z.string().nullish(),
    tool_calls: z.array(toolCallSchema).nullish(),
    function_call: functionCallSchema.nullish(),
    audio: z.looseObject({ id: z.string() }).nullish(),
  }),
  z.looseObject({ role: z.literal('tool'), content: contentSchema, tool_call_id: z.string() }),
  z.looseObject({ role: z.literal('system'), ...instructionFields }),
  z.looseObject({ role: z.literal('developer'), ...instructionFields }),
  z.looseObject({ role: z.literal('function'), content: contentSchema, name: z.string() }),
]);
