import type { FrontDialect, Reading } from '../../dialects/front-dialect.ts';
import { clientError, GatewayError } from '../../errors.ts';
import type { WireRequest } from '../../wire/message.ts';
import type { RequestTrace } from '../trace.ts';
import type { Askers } from './askers.ts';
import { type Identified, identify } from './identify.ts';

/** How a request is to be understood. */
export interface MeantReading {
  readonly reading: Reading;
  /**
   * Who signed it, if its signature chose the reading. A reading that is the only one is verified later, after it was
   * parsed.
   */
  readonly signer: Identified | undefined;
}

/**
 * The most readings that are tried. Each costs its dialect's HMACs, so this bounds what a stranger's request may cost.
 */
const MOST_READINGS = 8;

/**
 * Decides what a request means if its dialect can read it in several ways: the first reading whose signature verifies
 * is meant. If there is no signature, or the request is a browser's preflight, the most likely reading is meant.
 * @throws GatewayError InvalidRequest if there are more readings than are tried; the refusal of the first signature if
 * none verifies; any other refusal than a mismatch at once; and what `readings` throws
 */
export async function meantReading(
  request: WireRequest,
  came: { readonly front: FrontDialect; readonly askers: Askers; readonly trace: RequestTrace },
): Promise<MeantReading> {
  const readings = came.front.readings(request, came.askers.services.settings);
  const [likeliest] = readings;
  if (readings.length === 1 || request.method === 'OPTIONS') return { reading: likeliest, signer: undefined };
  if (readings.length > MOST_READINGS) {
    throw clientError(
      'InvalidRequest',
      `The request can be read in ${readings.length} ways, and at most ${MOST_READINGS} are tried. Name the bucket in the path or in the host.`,
    );
  }
  return chosenBySignature(readings, likeliest, came);
}

async function chosenBySignature(
  readings: readonly Reading[],
  likeliest: Reading,
  came: { readonly askers: Askers; readonly trace: RequestTrace },
): Promise<MeantReading> {
  let refusal: unknown;
  for (const reading of readings) {
    const claim = reading.claim();
    if (claim === undefined) continue;
    try {
      return { reading, signer: await identify(claim, came) };
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== 'SignatureDoesNotMatch') throw error;
      refusal ??= error;
    }
  }
  if (refusal !== undefined) throw refusal;
  return { reading: likeliest, signer: undefined };
}
