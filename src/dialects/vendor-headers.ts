import { clientError } from '../errors.ts';
import type { DialectName, VendorHeaders } from '../operations/object.ts';
import { HeaderList } from '../wire/headers.ts';

/** Adds the headers of a store's answer that a front of the same dialect passes on. Those of another dialect stay behind. */
export function appendVendor(headers: HeaderList, vendor: VendorHeaders | undefined, dialect: DialectName): void {
  if (vendor?.dialect !== dialect) return;
  vendor.headers.forEach((_lower, value, name) => {
    headers.append(name, value);
  });
}

/**
 * The vendor headers with which a request to a store of this dialect begins: the client's own where it speaks the same
 * dialect, else none.
 * @throws GatewayError NotImplemented for a header of another dialect that no trait tells: left out, the store would do
 *   something else than the client asked
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
