import type { VerifiedBody } from '../../dialects/front-dialect.ts';
import type { FormStored } from '../../operations/answer.ts';
import type { PostObject } from '../../operations/operation.ts';
import type { OperationContext } from '../context.ts';
import { putObject } from './put.ts';

/** PostObject: what a form uploads is stored as every object of unknown length is. */
export async function postObject(
  operation: PostObject,
  body: VerifiedBody,
  context: OperationContext,
): Promise<FormStored> {
  const stored = await putObject({ ...operation, kind: 'PutObject' }, body, context);
  return { kind: 'FormStored', stored, reply: operation.reply };
}
