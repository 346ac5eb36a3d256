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
  return date.toISOString();
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z$/;

export function parseIsoDate(text: string): Date | undefined {
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const whole = moment(match[1], match[2], match[3], match[4], match[5], match[6]);
  if (whole === undefined) return undefined;
  const milliseconds = Number((match[7] ?? '0').padEnd(3, '0').slice(0, 3));
  return new Date(whole.getTime() + milliseconds);
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

/** undefined for a day or time that does not exist: Date would roll February 30 over. */
function moment(y: Digits, mo: Digits, d: Digits, h: Digits, mi: Digits, s: Digits): Date | undefined {
  const [year, month, day, hour, minute, second] = [Number(y), Number(mo), Number(d), Number(h), Number(mi), Number(s)];
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && leap ? 29 : (DAYS[month - 1] ?? 0);
  // Date.UTC reads years below 100 as 19xx, and storage knows none.
  if (year < 100 || day < 1 || day > days || hour > 23 || minute > 59 || second > 59) return undefined;
  return new Date(Date.UTC(year, month - 1, day, hour, minute, second));
}
