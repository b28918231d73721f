import type { z } from 'zod';

/** One kind of answer, for `/openapi.json`. */
export interface ApiAnswer {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** @default "application/json", where there is a schema; of errors the one of problems */
  readonly type?: string;
  /** Bodies of other media types, by type. */
  readonly also?: Readonly<Record<string, z.ZodType>>;
  /** Headers of this answer. */
  readonly headers?: z.ZodObject;
}
