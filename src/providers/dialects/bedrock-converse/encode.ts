/**
 * Writes a request of the common form as a body of Converse. The model stands in the address and
 * whether it streams in the path, so neither is in the body.
 */
import type { ChatForm } from '#providers/form.ts';
import type { Encoded, Target } from '#providers/provider.ts';
import { limitCachePoints } from './cache-limit.ts';
import { encodeReasoning } from './encode-reasoning.ts';
import {
  callersOwn,
  encodeAround,
  encodeInference,
  mergeFields,
  tellUnsaid,
  topKFields,
} from './encode-settings.ts';
import { encodeTools, forcesTool } from './encode-tools.ts';
import { encodeTurns, isUnsigned, toolsInHistory } from './encode-turns.ts';
import { familyOf } from './families.ts';
import { placeOf } from './place.ts';

/** The body, and a warning for everything that could not be said. Throws CannotSay. */
export function encode(form: ChatForm, target: Target): Encoded {
  const place = placeOf(familyOf(target.model));
  const { system, messages } = encodeTurns(form.turns, place);
  const forcedTool = forcesTool(form);
  const unsigned = isUnsigned(messages);
  const thinking = encodeReasoning(form, { forcedTool, unsigned }, place);
  const history = toolsInHistory(messages);
  const writing = encodeTools(form, { history, thinks: thinking.on }, place);
  for (const text of writing.words) system.push({ text });
  const inferenceConfig = encodeInference(form, thinking, place);
  const topK = topKFields(form, thinking, place);
  tellUnsaid(form, place);
  const own = callersOwn(form, place);
  const { additionalModelRequestFields, ...others } = own;
  const fields = mergeFields(thinking.fields, writing.fields, topK, additionalModelRequestFields);
  const lists = [...messages.map(({ content }) => content), system];
  limitCachePoints(
    writing.toolConfig === null ? lists : [...lists, writing.toolConfig.tools],
    place,
  );
  const body = {
    messages,
    ...(system.length === 0 ? {} : { system }),
    ...(Object.keys(inferenceConfig).length === 0 ? {} : { inferenceConfig }),
    ...(writing.toolConfig === null ? {} : { toolConfig: writing.toolConfig }),
    ...(writing.outputConfig === undefined ? {} : { outputConfig: writing.outputConfig }),
    ...(Object.keys(fields).length === 0 ? {} : { additionalModelRequestFields: fields }),
    ...encodeAround(form, place),
    ...others,
  };
  return { body, warnings: place.warnings };
}
