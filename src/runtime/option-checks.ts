/** Checks of options and arguments. Each error names the option and the bad value. */

/** @throws TypeError for an option that does not exist: most likely a misspelt one. */
export function requireKnownOptions(options: object, known: readonly string[]): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || known.includes(name)) continue;
    throw new TypeError(`there is no option ${show(name)}; there are: ${known.join(', ')}`);
  }
}

/** @throws TypeError for anything but a function. */
export function requireFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw new TypeError(`${name} must be a function, got ${show(value)}`);
}

/** @throws TypeError for anything but an object. */
export function requireObject(name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) {
    throw new TypeError(`${name} must be an object, got ${show(value)}`);
  }
}

/** @throws TypeError for the wrong type, RangeError for a number out of range. */
export function integerOption(
  name: string,
  value: unknown,
  fallback: number,
  min: number,
  max: number,
): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, got ${show(value)}`);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} must be a whole number from ${min} to ${max}, got ${show(value)}`);
  }
  return value;
}

/** @throws TypeError for anything but a boolean. */
export function booleanOption(name: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value !== 'boolean') throw new TypeError(`${name} must be true or false, got ${show(value)}`);
  return value;
}

/** @throws TypeError for anything but a string, RangeError for another string. */
export function choiceOption<Choice extends string>(
  name: string,
  value: unknown,
  fallback: Choice,
  choices: readonly Choice[],
): Choice {
  if (value === undefined) return fallback;
  const choice = choices.find((candidate) => candidate === value);
  if (choice !== undefined) return choice;
  const message = `${name} must be one of ${choices.map((candidate) => `'${candidate}'`).join(', ')}, got ${show(value)}`;
  throw typeof value === 'string' ? new RangeError(message) : new TypeError(message);
}

/** A word that only the browser can check; `undefined` where it is left out. @throws TypeError for anything but a non-empty string. */
export function textOption(name: string, value: unknown): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw new TypeError(`${name} must be a non-empty string, got ${show(value)}`);
}

/** @throws TypeError for anything but an AbortSignal. */
export function signalOption(name: string, value: unknown): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value;
  throw new TypeError(`${name} must be an AbortSignal, got ${show(value)}`);
}

/** A short, safe form of a bad value for an error message. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${short(value)}'`;
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return short(typeof value === 'bigint' ? `${value}n` : String(value));
}

function short(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
