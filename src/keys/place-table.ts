import type { z } from 'zod';

/** Settings by name, as a section of the configuration has them. */
export type SettingShape = Readonly<Record<string, z.core.$ZodType>>;

/** What was read of a section, by the settings that it has. */
export type ReadSection<Settings extends SettingShape> = {
  readonly [Name in keyof Settings]: z.output<Settings[Name]>;
};

/** A row of a table of which the operator chooses one by setting what has the row's name. */
export interface PlaceRow<Settings extends SettingShape, Place> {
  /**
   * The row's settings in the table's section: the setting or section of the row's own name, which chooses this row,
   * and others that mean nothing to other rows.
   */
  readonly settings: Settings;
  /** Returns what was read of the section; undefined if another row was chosen. */
  place(section: ReadSection<Settings>): Place | undefined;
}

/** A row of any settings and place. Each row is given only what it has read itself, so `never` is safe. */
export interface AnyPlaceRow {
  readonly settings: SettingShape;
  place(section: never): { readonly kind: string } | undefined;
}

/** The place that a row of a table has. */
export type PlaceOf<Table extends Readonly<Record<string, AnyPlaceRow>>> = {
  [Kind in keyof Table]: NonNullable<ReturnType<Table[Kind]['place']>>;
}[keyof Table];

/** Returns a table's section: first the settings that choose a row, then the rows' other settings. */
export function sectionOf(table: Readonly<Record<string, AnyPlaceRow>>): SettingShape {
  const rows = Object.entries(table);
  const choosing = rows.map(([name, { settings }]) => [name, settings[name]] as const);
  const further = rows.flatMap(([, { settings }]) => Object.entries(settings));
  return Object.fromEntries([...choosing, ...further]) as SettingShape;
}

/** Returns the place that a section names, as it was read; undefined if no row was chosen. */
export function chosenPlace(
  section: Readonly<Record<string, unknown>>,
  table: Readonly<Record<string, AnyPlaceRow>>,
): { readonly kind: string } | undefined {
  for (const row of Object.values(table)) {
    const place = row.place(section as never);
    if (place !== undefined) return place;
  }
  return undefined;
}

/**
 * Returns the row that read a place.
 * @param what the rows are, for the message
 */
export function rowOf<Row>(table: Readonly<Record<string, Row>>, kind: string, what: string): Row {
  const row = Object.hasOwn(table, kind) ? table[kind] : undefined;
  if (row === undefined) throw new RangeError(`There is no ${what} ${kind}.`);
  return row;
}
