/**
 * The house's own lint rules: what house.md asks for and oxlint has no rule for. A plugin of
 * oxlint, whose rules have ESLint's form; `oxlint.config.ts` says where each holds.
 */
import { codeRules } from './rules-code.ts';
import { fileRules } from './rules-file.ts';

const plugin = { meta: { name: 'house' }, rules: { ...codeRules, ...fileRules } };

// oxlint loads a plugin by its default export.
export default plugin;
