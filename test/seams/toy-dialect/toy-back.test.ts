import { backConformance } from '../../dialects/back-conformance.ts';
import { backendOptions } from '../../support/backend-options.ts';
import { toyBack } from './toy-back.ts';
import { startToyStore } from './toy-store.ts';

const SECRET = backendOptions('http://h').credentials.secret.reveal();
const error = (word: string) => JSON.stringify({ error: word });

backConformance({
  back: toyBack,
  async start() {
    const { url, lookup, stop } = await startToyStore(SECRET);
    return { connect: { endpoint: new URL(url), lookup }, stop };
  },
  refusals: [
    [404, error('NoSuchKey'), 'NoSuchKey'],
    [404, error('NoSuchUpload'), 'NoSuchUpload'],
    [403, error('AccessDenied'), 'AccessDenied'],
    [400, error('RuleOfItsOwn'), 'BackendRefused'],
    [403, error('BadSignature'), 'BackendError'],
  ],
  badKey: [403, error('BadSignature')],
});
