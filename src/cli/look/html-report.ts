/** `--html FILE` of a look into a browser: one page that loads nothing. All text in it is escaped. */
import { formatCount } from '../format.ts';
import { type Curve, curvesOf } from '../html/curves.ts';
import { escapeHtml } from '../html/escape.ts';
import { factsOf, pageOf, tableOf } from '../html/page.ts';
import {
  ADVICE,
  type BrowserReport,
  type Courses,
  failureOf,
  heldByClientsOf,
  type TargetLook,
  UNSEEN_ADVICE,
} from './report.ts';
import { classesOf, formatBytes, growthOf, headlineOf, LOOK_HEAD, lookRow, shortUrl } from './terminal.ts';

/** How many targets have their course drawn: the worst. */
const MOST_CURVES = 6;

export function htmlOfLook(report: BrowserReport, courses: Courses): string {
  const [sentence = '', failure] = headlineOf(report).split('\n');
  const title = `${formatCount(heldByClientsOf(report))} objects held for clients`;
  return pageOf(`cdp-release-batcher doctor: ${report.endpoint}`, [
    `<h1>${escapeHtml(title)}</h1>`,
    `<p class="lead">${escapeHtml(sentence)}</p>`,
    failure === undefined ? '' : `<p class="warning">${escapeHtml(failureOf(report) ?? failure)}</p>`,
    barsOf(report.targets, courses),
    courseSection(report.targets, courses),
    figuresSection(report.targets),
    unseenSection(report),
    `<section id="advice"><h2>What to do</h2>${ADVICE.map((line) => `<p>${escapeHtml(line)}</p>`).join('')}</section>`,
    `<section id="run"><h2>Where and how</h2>${factsOf([
      ['Browser', report.browser],
      ['Address', report.endpoint],
    ])}</section>`,
  ]);
}

/** A bar for each target, in proportion to the largest. */
function barsOf(targets: readonly TargetLook[], courses: Courses): string {
  const most = Math.max(1, ...targets.map(({ held }) => held));
  const bars = targets.map((target) => {
    const width = ((100 * target.held) / most).toFixed(1);
    const isSeries = courses.of(target.targetId).length > 1;
    const grown = isSeries ? growthOf(target, courses) : '0';
    const growth = grown === '0' ? '' : ` (${grown})`;
    const classes = classesOf(target);
    const kept = `${target.type}, ${formatBytes(target.retainedBytes)} kept alive`;
    return `<li class="ours"><span class="name">${escapeHtml(shortUrl(target.url))} <span class="unit">${escapeHtml(
      classes === '' ? kept : `${kept}: ${classes}`,
    )}</span></span>
      <span class="track"><span class="bar" style="width:${width}%"></span></span>
      <span class="value">${escapeHtml(formatCount(target.held) + growth)}</span></li>`;
  });
  return `<section id="held"><h2>Held, by page, frame and worker</h2><ol class="bars">${bars.join('')}</ol></section>`;
}

function courseSection(targets: readonly TargetLook[], courses: Courses): string {
  const drawn = targets
    .filter(
      ({ targetId }) => courses.of(targetId).length > 1 && courses.of(targetId).some(({ held }) => held > 0),
    )
    .slice(0, MOST_CURVES);
  if (drawn.length === 0) return '';
  const charts = drawn.map((target) => {
    const curve: Curve = {
      name: shortUrl(target.url),
      tone: 'ours',
      points: courses.of(target.targetId).map(({ elapsedMs, held }) => [elapsedMs / 1_000, held]),
    };
    return curvesOf([curve], { x: 'seconds', y: 'objects held', log: false });
  });
  return `<section id="course"><h2>Over time</h2>${charts.join('')}</section>`;
}

function figuresSection(targets: readonly TargetLook[]): string {
  // The address first: on a narrow screen it is the row's heading.
  const head = [LOOK_HEAD.at(-1) ?? '', ...LOOK_HEAD.slice(0, -1)];
  const rows = targets.map(lookRow).map((row) => [row.at(-1) ?? '', ...row.slice(0, -1)]);
  return `<section id="figures"><details><summary>All figures</summary>${tableOf(head, rows)}</details></section>`;
}

function unseenSection({ unseen }: BrowserReport): string {
  if (unseen.length === 0) return '';
  const rows = unseen.map(({ url, type, why }) => [shortUrl(url), type, why]);
  return `<section id="unseen"><h2>Not looked into</h2>${tableOf(['address', 'type', 'why'], rows)}<p>${escapeHtml(UNSEEN_ADVICE)}</p></section>`;
}
