/**
 * Every public way of Puppeteer's to get a handle, each as a piece of a script; and the list of those ways as Puppeteer's
 * own type declarations have it, by which a test sees that none is missing here.
 */

/** Something that a way begins from. */
export interface Subject {
  /** Gets it, from `page`. */
  readonly get: string;
  /** Disposes of what getting it has minted. */
  readonly dispose: string;
}

/** What the page has in it. */
export const HTML =
  '<ul><li>a<li>b</ul><form><button type="button">c</button></form><iframe srcdoc="<p>d</p>"></iframe>';

/** In the page: starts the worker. */
export const START_WORKER =
  "globalThis.worker ??= new Worker(URL.createObjectURL(new Blob(['self.x = 1'])))" as const;

const without = (get: string): Subject => ({ get, dispose: '' });

export const SUBJECTS: Readonly<Record<string, Subject>> = {
  frame: without('page.frames()[1]'),
  element: { get: "await page.$('ul')", dispose: 'await element.dispose()' },
  object: { get: 'await page.evaluateHandle(() => ({ a: {}, b: [] }))', dispose: 'await object.dispose()' },
  locator: without("page.locator('ul')"),
  worker: without('page.workers()[0]'),
  realm: without('page.mainFrame().mainRealm()'),
  tree: without('await page.accessibility.snapshot()'),
};

export interface Way {
  /** `Class.member`, as the declarations have it. */
  readonly member: string;
  /** An expression, of `page` and of the subject: a handle, or an array or a map of some. */
  readonly ask: string;
  /** The name of a subject. */
  readonly from?: string;
  /** Handles that it gives. */
  readonly handles: number;
  readonly kind: string;
}

export const WAYS: readonly Way[] = [
  { member: 'Page.$', ask: "page.$('li')", handles: 1, kind: 'node' },
  { member: 'Page.$$', ask: "page.$$('li')", handles: 2, kind: 'node' },
  { member: 'Page.evaluateHandle', ask: 'page.evaluateHandle(() => [])', handles: 1, kind: 'array' },
  {
    member: 'Page.queryObjects',
    ask: 'page.queryObjects(object)',
    from: 'object',
    handles: 1,
    kind: 'array',
  },
  { member: 'Page.addScriptTag', ask: "page.addScriptTag({ content: '1' })", handles: 1, kind: 'node' },
  { member: 'Page.addStyleTag', ask: "page.addStyleTag({ content: 'i {}' })", handles: 1, kind: 'node' },
  { member: 'Page.waitForSelector', ask: "page.waitForSelector('li')", handles: 1, kind: 'node' },
  { member: 'Page.waitForFunction', ask: 'page.waitForFunction(() => new Map())', handles: 1, kind: 'map' },
  { member: 'Frame.$', ask: "frame.$('p')", from: 'frame', handles: 1, kind: 'node' },
  { member: 'Frame.$$', ask: "frame.$$('p')", from: 'frame', handles: 1, kind: 'node' },
  { member: 'Frame.frameElement', ask: 'frame.frameElement()', from: 'frame', handles: 1, kind: 'node' },
  {
    member: 'Frame.evaluateHandle',
    ask: 'frame.evaluateHandle(() => new Set())',
    from: 'frame',
    handles: 1,
    kind: 'set',
  },
  {
    member: 'Frame.addScriptTag',
    ask: "frame.addScriptTag({ content: '1' })",
    from: 'frame',
    handles: 1,
    kind: 'node',
  },
  {
    member: 'Frame.addStyleTag',
    ask: "frame.addStyleTag({ content: 'i {}' })",
    from: 'frame',
    handles: 1,
    kind: 'node',
  },
  {
    member: 'Frame.waitForSelector',
    ask: "frame.waitForSelector('p')",
    from: 'frame',
    handles: 1,
    kind: 'node',
  },
  {
    member: 'Frame.waitForFunction',
    ask: 'frame.waitForFunction(() => ({}))',
    from: 'frame',
    handles: 1,
    kind: 'object',
  },
  { member: 'ElementHandle.$', ask: "element.$('li')", from: 'element', handles: 1, kind: 'node' },
  { member: 'ElementHandle.$$', ask: "element.$$('li')", from: 'element', handles: 2, kind: 'node' },
  {
    member: 'ElementHandle.waitForSelector',
    ask: "element.waitForSelector('li')",
    from: 'element',
    handles: 1,
    kind: 'node',
  },
  {
    member: 'JSHandle.evaluateHandle',
    ask: 'element.evaluateHandle((list) => list.firstChild)',
    from: 'element',
    handles: 1,
    kind: 'node',
  },
  {
    member: 'JSHandle.evaluateHandle',
    ask: 'object.evaluateHandle(({ b }) => b)',
    from: 'object',
    handles: 1,
    kind: 'array',
  },
  {
    member: 'JSHandle.getProperty',
    ask: "object.getProperty('a')",
    from: 'object',
    handles: 1,
    kind: 'object',
  },
  {
    member: 'JSHandle.getProperties',
    ask: '(await object.getProperties()).values()',
    from: 'object',
    handles: 2,
    kind: 'object',
  },
  { member: 'Locator.waitHandle', ask: 'locator.waitHandle()', from: 'locator', handles: 1, kind: 'node' },
  {
    member: 'Locator.waitHandle',
    ask: 'locator.map((list) => list.firstChild).waitHandle()',
    from: 'locator',
    handles: 1,
    kind: 'node',
  },
  {
    member: 'Locator.waitHandle',
    ask: 'locator.filter(() => true).waitHandle()',
    from: 'locator',
    handles: 1,
    kind: 'node',
  },
  {
    member: 'Locator.waitHandle',
    ask: 'page.locator(() => new Map()).waitHandle()',
    handles: 1,
    kind: 'map',
  },
  {
    member: 'WebWorker.evaluateHandle',
    ask: 'worker.evaluateHandle(() => ({}))',
    from: 'worker',
    handles: 1,
    kind: 'object',
  },
  {
    member: 'WebWorker.waitForFunction',
    ask: 'worker.waitForFunction(() => [], { polling: 50 })',
    from: 'worker',
    handles: 1,
    kind: 'array',
  },
  {
    member: 'Realm.evaluateHandle',
    ask: 'realm.evaluateHandle(() => [])',
    from: 'realm',
    handles: 1,
    kind: 'array',
  },
  {
    member: 'Realm.waitForFunction',
    ask: 'realm.waitForFunction(() => ({}))',
    from: 'realm',
    handles: 1,
    kind: 'object',
  },
  {
    member: 'SerializedAXNode.elementHandle',
    ask: "tree.children.find(({ role }) => role === 'button').elementHandle()",
    from: 'tree',
    handles: 1,
    kind: 'node',
  },
];

/** Members whose declarations have a handle in what they give, though they ask for none; each with why. */
export const NO_WAYS: Readonly<Record<string, string>> = {
  'ConsoleMessage.args': 'comes with the event, and is counted as the console’s',
  'ElementHandle.toElement': 'gives the handle itself',
  'JSHandle.asElement': 'gives the handle itself',
  'WebMCPTool.formElement': 'of a browser that has WebMCP turned on',
};

/** `Class.member` of all that give handles, by a `types.d.ts` of Puppeteer's. */
export function membersThatGiveHandles(types: string): Set<string> {
  const found = new Set<string>();
  const withoutComments = types.replace(/\/\*[\s\S]*?\*\/|\r/g, '');
  for (const [, name = '', rest = ''] of withoutComments.matchAll(
    /^export declare (?:abstract )?(?:class|interface) (\w+)([\s\S]*?)^\}/gm,
  )) {
    for (const statement of statementsOf(rest.slice(rest.indexOf('{\n') + 2))) {
      const [, member] = /^\s*(?:(?:abstract|get|static|readonly) )*([$\w]+)/.exec(statement) ?? [];
      if (member === undefined || !GIVES_HANDLE.test(typeGivenBy(statement))) continue;
      found.add(`${name}.${member}`);
    }
  }
  return found;
}

/** Up to each semicolon that stands in no brackets. */
function* statementsOf(text: string): Iterable<string> {
  let depth = 0;
  let start = 0;
  for (let index = 0; index < text.length; index++) {
    const character = text[index] ?? '';
    if ('([{'.includes(character)) depth++;
    else if (')]}'.includes(character)) depth--;
    else if (character === ';' && depth === 0) {
      yield text.slice(start, index);
      start = index + 1;
    }
  }
}

const GIVES_HANDLE = /\b(?:ElementHandle|JSHandle|HandleFor)\b/;

/** What stands behind the last parenthesis of the parameters. */
function typeGivenBy(statement: string): string {
  let depth = 0;
  let lastClosed = -1;
  for (let index = 0; index < statement.length; index++) {
    if (statement[index] === '(') depth++;
    else if (statement[index] === ')' && --depth === 0 && statement[index + 1] === ':') lastClosed = index;
  }
  return lastClosed < 0 ? '' : statement.slice(lastClosed);
}
