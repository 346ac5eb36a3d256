import { clientError } from '../errors.ts';
import type { DialectName, VendorHeaders } from '../operations/object.ts';
import { HeaderList } from '../wire/headers.ts';

/** Appends the vendor headers of a store's answer where the front speaks the same dialect, and else nothing. */
export function appendVendor(headers: HeaderList, vendor: VendorHeaders | undefined, dialect: DialectName): void {
  if (vendor?.dialect !== dialect) return;
  vendor.headers.forEach((_lower, value, name) => {
    headers.append(name, value);
  });
}

/**
 * Returns the vendor headers that a request to a store of this dialect begins with: a copy of the client's own where
 * the client speaks the same dialect, and else none.
 * @throws GatewayError NotImplemented for a header of another dialect that has no neutral form (ObjectTraits): without
 *   it the store would do something else than the client asked
 */
export function vendorHeadersFor(dialect: DialectName, vendor: VendorHeaders | undefined): HeaderList {
  if (vendor === undefined) return new HeaderList();
  if (vendor.dialect === dialect) return vendor.headers.clone();
  const [name] = vendor.beyondTraits ?? [];
  if (name !== undefined) {
    throw clientError(
      'NotImplemented',
      `The header ${name.slice(0, 64)} means nothing to the store behind this gateway.`,
    );
  }
  return new HeaderList();
}
