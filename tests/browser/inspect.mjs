// What every page must be, whatever it says: accessible at every width and in both themes, within
// the narrowest screen, worked by the keyboard in reading order, with the focus in sight.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** WCAG 2.0, 2.1 and 2.2, levels A and AA. */
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa'];
/** What a theme can change: the rest is looked at in the light. */
const OF_COLOUR = ['color-contrast', 'link-in-text-block'];
const WIDTHS = [390, 720, 1440];
const HEIGHT = 900;

/** Looks at the page as it stands; gives what is wrong with it, a sentence each. */
export async function inspect(page, name) {
  const size = page.viewportSize();
  const faults = [];
  await page.evaluate(AXE);
  const themes = { light: { type: 'tag', values: TAGS }, dark: { type: 'rule', values: OF_COLOUR } };
  for (const [colorScheme, rules] of Object.entries(themes)) {
    await page.emulateMedia({ colorScheme });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: HEIGHT });
      const found = await page.evaluate(violations, rules);
      faults.push(...found.map((fault) => `${width} ${colorScheme}: ${fault}`));
    }
  }
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize({ width: 320, height: HEIGHT });
  faults.push(...await page.evaluate(narrow));
  await page.setViewportSize({ width: 390, height: HEIGHT });
  faults.push(...await page.evaluate(targets));
  faults.push(...await page.evaluate(errors));
  await page.setViewportSize(size);
  faults.push(...await byKeyboard(page));
  return faults.map((fault) => `${name}: ${fault}`);
}

async function violations(rules) {
  const { axe } = globalThis;
  const options = { runOnly: rules, resultTypes: ['violations'] };
  const { violations: found } = await axe.run(document, options);
  return found.map(({ id, nodes }) => {
    const [{ html, failureSummary }] = nodes;
    return `axe ${id}, ${nodes.length} times: ${html.slice(0, 160)}: ${failureSummary.slice(0, 300)}`;
  });
}

/** At 320 pixels nothing is scrolled sideways, not even with the spacing that WCAG 1.4.12 asks for. */
function narrow() {
  const faults = [];
  const check = (how) => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return;
    const all = [...document.body.querySelectorAll('*')];
    const wide = all.find((one) => one.getBoundingClientRect().right > clientWidth + 1);
    faults.push(`320 ${how}: ${scrollWidth} wide, such as ${wide?.outerHTML.slice(0, 120)}`);
  };
  check('pixels');
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: .12em !important; '
    + 'word-spacing: .16em !important; } p { margin-bottom: 2em !important; }');
  document.adoptedStyleSheets.push(sheet);
  check('pixels with wider spacing');
  document.adoptedStyleSheets.pop();
  return faults;
}

/** 44 pixels for what customers press, 24 for other links that do not stand in running text. */
function targets() {
  const faults = [];
  const seen = [...document.querySelectorAll('a[href], button, input, select, summary')];
  for (const one of seen.filter((each) => each.checkVisibility())) {
    if (one.type === 'hidden' || one.classList.contains('skip')) continue;
    const area = /^(radio|checkbox)$/.test(one.type) ? one.closest('label') : one;
    const { width, height } = area.getBoundingClientRect();
    const isText = one.matches('a:not(.button)') && getComputedStyle(one).display === 'inline';
    const least = isText ? 0 : one.matches('a:not(.button, .door)') ? 24 : 44;
    if (height + 0.5 < least || (least > 0 && width < 24)) {
      faults.push(`target of ${width}×${height}: ${one.outerHTML.slice(0, 120)}`);
    }
  }
  return faults;
}

/** A page with mistakes says so in its title, and marks the fields it links to. */
function errors() {
  const summary = document.getElementById('errors');
  if (!summary) return [];
  const faults = [];
  if (!/^(エラー:|Error:)/.test(document.title)) faults.push(`title with mistakes: ${document.title}`);
  for (const link of summary.querySelectorAll('a')) {
    if (!document.querySelector(link.getAttribute('href'))) faults.push(`leads nowhere: ${link.outerHTML}`);
  }
  for (const field of document.querySelectorAll('[aria-invalid=true]')) {
    const ids = (field.getAttribute('aria-describedby') ?? '').split(' ').filter(Boolean);
    if (ids.length === 0 || !ids.every((id) => document.getElementById(id))) faults.push(`not described: ${field.name}`);
  }
  return faults;
}

/** Tab by Tab through the page: in reading order, past every control, each with its ring in sight. */
async function byKeyboard(page) {
  const count = await page.evaluate(watchFocus);
  for (let press = 0; press < count + 2; press += 1) await page.keyboard.press('Tab');
  return page.evaluate(judgeFocus);
}

function watchFocus() {
  const root = document.querySelector('dialog[open]') ?? document;
  const controls = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]';
  const isAlone = (one) => one.type !== 'radio' || one.checked
    || (!root.querySelector(`input[name="${one.name}"]:checked`)
      && root.querySelector(`input[name="${one.name}"]`) === one);
  const wanted = [...root.querySelectorAll(controls)].filter((one) =>
    one.checkVisibility({ visibilityProperty: true }) && one.tabIndex >= 0 && isAlone(one));
  const watch = { wanted, reached: [], faults: [] };
  globalThis.focusWatch = watch;
  watch.listener = ({ target }) => {
    watch.reached.push(target);
    const { outlineStyle, outlineWidth } = getComputedStyle(target);
    if (outlineStyle === 'none' || Number.parseFloat(outlineWidth) < 2) {
      watch.faults.push(`no ring: ${target.outerHTML.slice(0, 120)}`);
    }
    const { left, top, width, height } = target.getBoundingClientRect();
    const [x, y] = [left + Math.min(width / 2, 20), top + height / 2];
    const over = document.elementFromPoint(x, y);
    const isSeen = over && (target.contains(over) || over.contains(target) || over.closest('label')?.control === target);
    if (!isSeen) watch.faults.push(`hidden when focused: ${target.outerHTML.slice(0, 120)}`);
  };
  document.activeElement?.blur();
  globalThis.getSelection()?.removeAllRanges();
  document.addEventListener('focusin', watch.listener);
  // Tab stops at year, month, day and calendar of a date.
  return wanted.length + 3 * wanted.filter(({ type }) => type === 'date').length;
}

function judgeFocus() {
  const { wanted, reached, faults, listener } = globalThis.focusWatch;
  document.removeEventListener('focusin', listener);
  const name = (one) => one.outerHTML.slice(0, 100);
  const missed = wanted.filter((one) => !reached.includes(one));
  faults.push(...missed.map((one) => `Tab does not reach: ${name(one)}`));
  // The way round begins wherever the focus was; from its first element on it runs forward.
  const start = reached.indexOf(wanted[0]);
  const round = reached.slice(start < 0 ? 0 : start, (start < 0 ? 0 : start) + wanted.length);
  for (let at = 1; at < round.length; at += 1) {
    const follows = round[at - 1].compareDocumentPosition(round[at]) & Node.DOCUMENT_POSITION_FOLLOWING;
    if (!follows) faults.push(`Tab goes back from ${name(round[at - 1])} to ${name(round[at])}`);
  }
  return faults;
}

/** Fails with everything that was found. */
export function contented(faults) {
  assert.ok(faults.length === 0, `${faults.length} faults:\n${faults.slice(0, 60).join('\n')}`);
}
