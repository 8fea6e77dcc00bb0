// The table of versions, from the results of test/versions/compatibility.mjs and nothing else.

/** @param runs what each run printed, or `{ …, error }` where it printed nothing. */
export function tableOf(runs) {
  const columns = [...new Set(runs.map(columnOf))];
  const rows = [...new Set(runs.map(({ puppeteer }) => puppeteer))];
  const notes = [];
  const cellOf = (row, column) => {
    const run = runs.find((candidate) => candidate.puppeteer === row && columnOf(candidate) === column);
    return run === undefined ? '' : formatRun(run, notes);
  };
  const lines = [
    `| | ${columns.join(' | ')} |`,
    `|---|${columns.map(() => '---').join('|')}|`,
    ...rows.map((row) => `| ${row} | ${columns.map((column) => cellOf(row, column)).join(' | ')} |`),
    '',
    ...notes.map((note, index) => `${index + 1}. ${note}`),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

/** The browser's major version alone; the results have it whole. The headless shell is a browser of its own. */
function columnOf({ runtime, browser }) {
  const [product, version] = browser.split('/');
  const name = product === 'HeadlessChrome' ? 'Chromium shell' : product.replace(/^Chrome$/, 'Chromium');
  return `${runtime}, ${name} ${version?.split('.')[0] ?? ''}`.trimEnd();
}

function formatRun({ outcomes, error }, notes) {
  if (error !== undefined) return `does not run ${noteOf(error, notes)}`;
  const all = Object.entries(outcomes);
  const others = all.filter(([, outcome]) => outcome !== 'passed');
  const passed = `${all.length - others.length} of ${all.length}`;
  if (others.length === 0) return passed;
  return `${passed} ${noteOf(others.map(([name, outcome]) => `${name}: ${outcome}`).join('; '), notes)}`;
}

/** The number of a note, which is the same for all that have the same to say. */
function noteOf(text, notes) {
  if (!notes.includes(text)) notes.push(text);
  return `(${notes.indexOf(text) + 1})`;
}
