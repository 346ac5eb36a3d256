import { expect, it } from 'vitest';
import { qingstorFront } from '../../../src/dialects/qingstor/front.ts';
import { createS3Front } from '../../../src/dialects/s3/front/front.ts';
import { clientError } from '../../../src/errors.ts';
import { createHandler } from '../../../src/pipeline/handle.ts';
import type { HandlerServices } from '../../../src/pipeline/handler-services.ts';
import { RequestTrace } from '../../../src/pipeline/trace.ts';
import type { WireResponse } from '../../../src/wire/message.ts';
import { wireRequest } from '../../support/requests.ts';
import { inProcess } from '../in-process.ts';

type Code = 'KeyStoreUnavailable' | 'BackendUnavailable' | 'SlowDown' | 'AccessDenied';

const FRONTS = { s3: createS3Front(() => new Date()), qingstor: qingstorFront } as const;

async function answer(front: keyof typeof FRONTS, method: string, code: Code): Promise<WireResponse> {
  const { handling } = await inProcess();
  const directory = { owner: () => Promise.reject(clientError(code, 'away')) };
  const fronts = [FRONTS[front]];
  const services = { ...handling, fronts, directory: directory as unknown as HandlerServices['directory'] };
  const headers = [
    ['host', 'h'],
    ['x-qs-date', new Date().toUTCString()],
  ] as const;
  const request = wireRequest({ method, target: '/some-bucket/k', headers });
  return (await createHandler(services)(request, new RequestTrace())) as WireResponse;
}

it.each(['s3', 'qingstor'] as const)('a 503 says when to ask again, and no other error does (%s)', async (front) => {
  for (const method of ['GET', 'HEAD']) {
    for (const code of ['KeyStoreUnavailable', 'BackendUnavailable', 'SlowDown'] as const) {
      const { status, headers } = await answer(front, method, code);
      expect([code, status, headers.get('retry-after')]).toEqual([code, 503, '1']);
    }
    const { status, headers } = await answer(front, method, 'AccessDenied');
    expect([status, headers.get('retry-after')]).toEqual([403, undefined]);
  }
});
