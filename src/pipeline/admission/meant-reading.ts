import type { FrontDialect, Reading } from '../../dialects/front-dialect.ts';
import { clientError, GatewayError } from '../../errors.ts';
import type { WireRequest } from '../../wire/message.ts';
import type { RequestTrace } from '../trace.ts';
import type { Askers } from './askers.ts';
import { type Identified, identify } from './identify.ts';

/** How a request is understood. */
export interface MeantReading {
  readonly reading: Reading;
  /** Who signed it, where its signature chose the reading. A sole reading is verified only after it was parsed. */
  readonly signer: Identified | undefined;
}

/** Each is tried with the HMACs of its dialect, so their number bounds what a stranger's request may cost. */
const MOST_READINGS = 8;

/**
 * Decides what a request means that its dialect can read in several ways: the first reading whose signature verifies.
 * Without a signature, and of a browser's preflight, the most likely one is meant.
 * @throws GatewayError InvalidRequest for more readings than are tried; what the first reading's signature is refused
 *   with, where none verifies; whatever else than a mismatch a signature is refused with; what `readings` throws
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
