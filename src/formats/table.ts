import type { ObjectFormat } from './format.ts';
import { plain } from './plain/format.ts';
import { sx1 } from './sx1/format.ts';

/** Every format that the gateway knows. A new one is a folder and a row; protection.ts says which buckets use it. */
export interface FormatTable {
  readonly plain: ObjectFormat;
  readonly sx1: ObjectFormat;
}

export const FORMATS: FormatTable = { plain, sx1 };
