/** The tokenizer's tables as a module: for runtimes that read them from a disk. */
import type { LoadEncoding } from './tokens.ts';

export const loadEncodingModule: LoadEncoding = () => import('gpt-tokenizer/encoding/o200k_base');
