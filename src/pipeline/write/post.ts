import type { VerifiedBody } from '../../dialects/front-dialect.ts';
import type { FormStored } from '../../operations/answer.ts';
import type { PostObject } from '../../operations/operation.ts';
import type { OperationContext } from '../context.ts';
import { putObject } from './put.ts';

/** Carries out PostObject. The file of a form is stored like the body of a PutObject of unknown length. */
export async function postObject(
  operation: PostObject,
  body: VerifiedBody,
  context: OperationContext,
): Promise<FormStored> {
  const stored = await putObject({ ...operation, kind: 'PutObject' }, body, context);
  return { kind: 'FormStored', stored, reply: operation.reply };
}
