/** The three spellings of a moment that object storage uses. Parsers are strict and return undefined for anything else. */

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** RFC 9110 §5.6.7 IMF-fixdate: `Tue, 02 Jan 2024 03:04:05 GMT`. */
export function formatHttpDate(date: Date): string {
  return date.toUTCString();
}

const IMF_FIXDATE = /^[A-Z][a-z]{2}, (\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) (?:GMT|UTC|[+-]0000)$/;
const RFC_850 = /^[A-Z][a-z]{5,8}, (\d\d)-([A-Z][a-z]{2})-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/;
const ASCTIME = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/;

/** RFC 9110's three forms; `UTC` and `+0000` for GMT too, as Python's email.utils writes them. */
export function parseHttpDate(text: string): Date | undefined {
  let match = IMF_FIXDATE.exec(text);
  if (match !== null) return moment(match[3], month(match[2]), match[1], match[4], match[5], match[6]);
  match = RFC_850.exec(text);
  // RFC 9110: a two-digit year is the nearest that is not far in the future; storage has no dates before 1970.
  if (match !== null) {
    const century = Number(match[3]) < 70 ? '20' : '19';
    return moment(`${century}${match[3]}`, month(match[2]), match[1], match[4], match[5], match[6]);
  }
  match = ASCTIME.exec(text);
  if (match !== null) return moment(match[6], month(match[1]), match[2], match[3], match[4], match[5]);
  return undefined;
}

/** `2024-01-02T03:04:05.000Z`. */
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
/** The day that was formatted last: Date's own formatting costs five times as much, and listings have a thousand dates of few days. */
let knownDay = { number: Number.NaN, text: '' };

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;

/** A listing has a thousand of them: hence no captures, which would cost more than the rest. */
export function parseIsoDate(text: string): Date | undefined {
  if (!ISO.test(text)) return undefined;
  const milliseconds = digits(text, 20, Math.min(23, text.length - 1)) * (SCALE[text.length - 21] ?? 1);
  const [year, month, day] = [digits(text, 0, 4), digits(text, 5, 7), digits(text, 8, 10)];
  const seconds = clock(digits(text, 11, 13), digits(text, 14, 16), digits(text, 17, 19));
  const midnight = dayStart(year, month, day);
  if (midnight === undefined || seconds === undefined) return undefined;
  return new Date(midnight + seconds * 1000 + milliseconds);
}

/** What one or two digits of a second's fraction stand for, in milliseconds. */
const SCALE: readonly number[] = [0, 100, 10];

function digits(text: string, from: number, end: number): number {
  let number = 0;
  for (let at = from; at < end; at++) number = number * 10 + text.charCodeAt(at) - 0x30;
  return number;
}

/** `20240102T030405Z`, the V4 signatures' form. */
export function formatBasicIsoDate(date: Date): string {
  const iso = date.toISOString();
  return `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)}Z`;
}

const BASIC_ISO = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

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

/** In milliseconds since 1970; undefined for a day that does not exist: Date would roll February 30 over. */
function dayStart(year: number, month: number, day: number): number | undefined {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && leap ? 29 : (DAYS[month - 1] ?? 0);
  // Date.UTC reads years below 100 as 19xx, and storage knows none.
  return year < 100 || day < 1 || day > days ? undefined : Date.UTC(year, month - 1, day);
}

/** Seconds since midnight; undefined for a time that does not exist. */
function clock(hour: number, minute: number, second: number): number | undefined {
  return hour > 23 || minute > 59 || second > 59 ? undefined : (hour * 60 + minute) * 60 + second;
}
