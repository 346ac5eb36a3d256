/*
 * Reads and writes the three forms of dates that object storage uses. The parsers are strict: they return undefined for
 * any other text, and for a date that does not exist.
 */

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Writes the date of an HTTP header: `Tue, 02 Jan 2024 03:04:05 GMT` (IMF-fixdate in RFC 9110 §5.6.7). */
export function formatHttpDate(date: Date): string {
  return date.toUTCString();
}

const IMF_FIXDATE = /^[A-Z][a-z]{2}, (\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) (?:GMT|UTC|[+-]0000)$/;
const RFC_850 = /^[A-Z][a-z]{5,8}, (\d\d)-([A-Z][a-z]{2})-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/;
const ASCTIME = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/;

/**
 * Reads the date of an HTTP header, in one of the three forms of RFC 9110 §5.6.7. `UTC`, `+0000` and `-0000` are read
 * as GMT, because Python's email.utils writes them.
 */
export function parseHttpDate(text: string): Date | undefined {
  let match = IMF_FIXDATE.exec(text);
  if (match !== null) return moment(match[3], month(match[2]), match[1], match[4], match[5], match[6]);
  match = RFC_850.exec(text);
  // A year of two digits is never one far in the future (RFC 9110 §5.6.7). Storage has no dates before 1970.
  if (match !== null) {
    const century = Number(match[3]) < 70 ? '20' : '19';
    return moment(`${century}${match[3]}`, month(match[2]), match[1], match[4], match[5], match[6]);
  }
  match = ASCTIME.exec(text);
  if (match !== null) return moment(match[6], month(match[1]), match[2], match[3], match[4], match[5]);
  return undefined;
}

/** Writes an ISO 8601 date as S3's documents have it: `2024-01-02T03:04:05.000Z`. */
export function formatIsoDate(date: Date): string {
  const time = date.getTime();
  const day = Math.floor(time / DAY_MS);
  if (day !== knownDay.number) knownDay = { number: day, text: date.toISOString().slice(0, 11) };
  const milliseconds = time - day * DAY_MS;
  const seconds = Math.floor(milliseconds / 1000);
  const minutes = Math.floor(seconds / 60);
  const clock = `${TWO_DIGITS[Math.floor(minutes / 60)]}:${TWO_DIGITS[minutes % 60]}:${TWO_DIGITS[seconds % 60]}`;
  return `${knownDay.text}${clock}.${String(milliseconds % 1000).padStart(3, '0')}Z`;
}

const DAY_MS = 86_400_000;
const TWO_DIGITS: readonly string[] = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));
/**
 * The day that was formatted last, and its text. Formatting by Date costs five times as much, and the thousand dates of
 * a listing are mostly of a few days.
 */
let knownDay = { number: Number.NaN, text: '' };

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;

/**
 * Reads an ISO 8601 date with seconds, with or without a fraction of them, and with `Z`. It uses no captures, because
 * they would cost more than the rest, and a listing has a thousand dates.
 */
export function parseIsoDate(text: string): Date | undefined {
  if (!ISO.test(text)) return undefined;
  const milliseconds = digits(text, 20, Math.min(23, text.length - 1)) * (SCALE[text.length - 21] ?? 1);
  const [year, month, day] = [digits(text, 0, 4), digits(text, 5, 7), digits(text, 8, 10)];
  const seconds = clock(digits(text, 11, 13), digits(text, 14, 16), digits(text, 17, 19));
  const midnight = dayStart(year, month, day);
  if (midnight === undefined || seconds === undefined) return undefined;
  return new Date(midnight + seconds * 1000 + milliseconds);
}

/** How many milliseconds the last digit of a second's fraction counts, by the number of its digits, up to two. */
const SCALE: readonly number[] = [0, 100, 10];

function digits(text: string, from: number, end: number): number {
  let number = 0;
  for (let at = from; at < end; at++) number = number * 10 + text.charCodeAt(at) - 0x30;
  return number;
}

/** Writes a date as Signature Version 4 has it: `20240102T030405Z`. */
export function formatBasicIsoDate(date: Date): string {
  const iso = date.toISOString();
  return `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)}Z`;
}

const BASIC_ISO = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** Reads a date in that form. */
export function parseBasicIsoDate(text: string): Date | undefined {
  const match = BASIC_ISO.exec(text);
  return match === null ? undefined : moment(match[1], match[2], match[3], match[4], match[5], match[6]);
}

type Digits = string | undefined;

function month(name: Digits): string {
  return String(MONTHS.indexOf(name ?? '') + 1);
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function moment(y: Digits, mo: Digits, d: Digits, h: Digits, mi: Digits, s: Digits): Date | undefined {
  const midnight = dayStart(Number(y), Number(mo), Number(d));
  const seconds = clock(Number(h), Number(mi), Number(s));
  return midnight === undefined || seconds === undefined ? undefined : new Date(midnight + seconds * 1000);
}

/** The start of a day in milliseconds since 1970; undefined for a day that does not exist, which Date would accept. */
function dayStart(year: number, month: number, day: number): number | undefined {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && leap ? 29 : (DAYS[month - 1] ?? 0);
  // Date.UTC would read a year below 100 as 19xx.
  return year < 100 || day < 1 || day > days ? undefined : Date.UTC(year, month - 1, day);
}

/** A time of day in seconds since midnight; undefined for a time that does not exist. */
function clock(hour: number, minute: number, second: number): number | undefined {
  return hour > 23 || minute > 59 || second > 59 ? undefined : (hour * 60 + minute) * 60 + second;
}
