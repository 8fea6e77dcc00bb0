/**
 * What an object id tells by its form. Today's ids read `isolate.context.number`. That form is no promise of
 * the protocol's, so little is made of it: it tells, sooner than a refusal would, which ids a destroyed context
 * took along, and where to look a handle up. An id of any other form belongs to the context without a name, which
 * nothing destroys but the session's end.
 */

/** Ids are 43 characters at most today. A page cannot choose them; a broken peer could. */
const LONGEST_PARSED_ID = 128;

/** Whether a text may be an id, by its length: to take a long one apart would cost more than it tells. */
export function mayBeId(text: string): boolean {
  return text.length > 0 && text.length <= LONGEST_PARSED_ID;
}

/** What the ids of one context begin with, `isolate.context.`; `''` for an id that has not today's form. */
export function contextPrefixOf(objectId: string): string {
  const first = objectId.indexOf('.');
  const second = objectId.indexOf('.', first + 1);
  const hasContext = first > 0 && second > first + 1 && objectId.length <= LONGEST_PARSED_ID;
  return hasContext ? objectId.slice(0, second + 1) : '';
}

/** Whether an id begins with the prefix of a context that has a name; quicker than taking the id apart. */
export function hasContextPrefix(objectId: string, prefix: string): boolean {
  return prefix !== '' && objectId.length <= LONGEST_PARSED_ID && objectId.startsWith(prefix);
}

/** The protocol's `executionContextId`; `undefined` where the ids do not tell. */
export function executionContextIdOf(prefix: string): number | undefined {
  const parsed = Number(prefix.slice(0, -1).split('.')[1]);
  return prefix !== '' && Number.isInteger(parsed) ? parsed : undefined;
}

/** The longest number that is read as one: it is below 2³¹, for which V8 has a form without an allocation. */
const MOST_DIGITS = 9;
const ZERO = 48;

/**
 * The number in which an id ends; -1 where what follows the prefix is none, is too large, or is not spelled as
 * the browser does.
 */
export function idNumberOf(objectId: string, prefixLength: number): number {
  const digits = objectId.length - prefixLength;
  if (digits < 1 || digits > MOST_DIGITS) return -1;
  let number = 0;
  for (let index = prefixLength; index < objectId.length; index++) {
    const digit = objectId.charCodeAt(index) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
    if (number === 0 && digits > 1) return -1; // A leading zero: not how the browser spells it.
  }
  return number;
}
