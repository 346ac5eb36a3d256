import type { z } from 'zod';
import type { Secret } from '../secret.ts';
import type { backendSettings } from './settings.ts';

type BackendSettings = z.output<ReturnType<typeof backendSettings>>;

/** The settings of the section `backend`, checked. */
export interface BackendConfig extends Omit<BackendSettings, 'endpoint' | 'directory' | 'credentials'> {
  readonly place: BackendPlace;
}

/** Where the objects are stored. */
export type BackendPlace =
  | {
      readonly kind: 'endpoint';
      readonly endpoint: URL;
      readonly accessKeyId: string;
      readonly secretAccessKey: Secret;
    }
  /** The embedded store keeps them in this folder. */
  | { readonly kind: 'directory'; readonly directory: string };

/**
 * Completes the section `backend`. Returns undefined if it does not say where the objects are stored, or with which
 * key.
 */
export function completeBackend(backend: BackendSettings): BackendConfig | undefined {
  const { endpoint, directory, credentials, ...rest } = backend;
  const at = placeOfBackend({ endpoint, directory, ...credentials });
  return at && { ...rest, place: at };
}

function placeOfBackend(given: {
  readonly endpoint: URL | undefined;
  readonly directory: string | undefined;
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: Secret | undefined;
}): BackendPlace | undefined {
  const { endpoint, directory, accessKeyId, secretAccessKey } = given;
  if (directory !== undefined) return { kind: 'directory', directory };
  if (endpoint === undefined || accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { kind: 'endpoint', endpoint, accessKeyId, secretAccessKey };
}
