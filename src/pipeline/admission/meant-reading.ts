import type { FrontDialect, Reading } from '../../dialects/front-dialect.ts';
import { clientError, GatewayError } from '../../errors.ts';
import type { WireRequest } from '../../wire/message.ts';
import type { RequestTrace } from '../trace.ts';
import type { Askers } from './askers.ts';
import { type Identified, identify } from './identify.ts';

/** The reading of a request that its client means. */
export interface MeantReading {
  readonly reading: Reading;
  /**
   * Who signed the request, where its signature decided between several readings. undefined where there was only one:
   * its signature is verified later, once the request was parsed.
   */
  readonly signer: Identified | undefined;
}

/** Every reading that is tried costs some HMACs, so this bounds what a request from a stranger may cost. */
const MOST_READINGS = 8;

/**
 * Decides between the readings of a request that its dialect can read in several ways. (For example, a host may name
 * a bucket or may be the service's own.) The first reading whose signature verifies is meant. For a request without a
 * signature, and for a browser's preflight, the most likely reading is. Where none verifies and the dialect may have
 * the bucket in what is signed alone, the signer's own buckets are tried.
 * @throws GatewayError InvalidRequest where there are more readings than are tried; SignatureDoesNotMatch, of the
 *   first reading, where none verifies; any other error of a signature at once; and what `readings` throws
 */
export async function meantReading(
  request: WireRequest,
  arrival: { readonly front: FrontDialect; readonly askers: Askers; readonly trace: RequestTrace },
): Promise<MeantReading> {
  const readings = arrival.front.readings(request, arrival.askers.services.settings);
  const [likeliest] = readings;
  const { front } = arrival;
  const onlyOne = readings.length === 1 && front.readingsIn === undefined;
  if (onlyOne || request.method === 'OPTIONS') return { reading: likeliest, signer: undefined };
  if (readings.length > MOST_READINGS) {
    throw clientError(
      'InvalidRequest',
      `The request can be read in ${readings.length} ways, and at most ${MOST_READINGS} are tried. ` +
        'Name the bucket in the path or in the host.',
    );
  }
  const claim = likeliest.claim();
  try {
    return await chosenBySignature(readings, likeliest, arrival);
  } catch (error) {
    if (claim === undefined || front.readingsIn === undefined || !isWrongSignature(error)) throw error;
    const buckets = await ownBuckets(claim.accessKeyId, MOST_READINGS - readings.length, arrival.askers);
    const further = front.readingsIn(request, arrival.askers.services.settings, buckets);
    if (further.length === 0) throw error;
    return await chosenBySignature(further, likeliest, arrival).catch((again: unknown) => {
      throw isWrongSignature(again) ? error : again;
    });
  }
}

function isWrongSignature(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'SignatureDoesNotMatch';
}

/** The first buckets of an access key's tenant that its record has by name, without a star. */
async function ownBuckets(accessKeyId: string, most: number, { services }: Askers): Promise<readonly string[]> {
  const caller = await services.directory.caller(accessKeyId);
  const patterns = caller?.tenant.buckets.map(({ pattern }) => pattern) ?? [];
  return patterns.filter((pattern) => !pattern.includes('*')).slice(0, most);
}

async function chosenBySignature(
  readings: readonly Reading[],
  likeliest: Reading,
  arrival: { readonly askers: Askers; readonly trace: RequestTrace },
): Promise<MeantReading> {
  let refusal: unknown;
  for (const reading of readings) {
    const claim = reading.claim();
    if (claim === undefined) continue;
    try {
      return { reading, signer: await identify(claim, arrival) };
    } catch (error) {
      if (!isWrongSignature(error)) throw error;
      refusal ??= error;
    }
  }
  if (refusal !== undefined) throw refusal;
  return { reading: likeliest, signer: undefined };
}
