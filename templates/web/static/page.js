// What the pages gain where scripts run. Behaviour is bound by data attributes, words come from the
// markup in the page's language, and every page works without this file.
//
// .js-only                     shown by the style sheet only under html.js
// [data-copy=ID]               copies that element's digits; data-done, data-failed
// [data-print]                 prints the page
// [data-countdown=SECONDS]     counts down to that moment from data-now, the server's clock;
//                              data-text like "{m} min {s} s", if wished data-minutes,
//                              data-seconds, data-ended; data-hides, data-shows; a progress
//                              in [data-meter]
// form[data-once]              swallows the second click of a double click
// [data-window=NAME]           a form or link whose target is its own small window
// dialog#session               data-idle, data-warn, data-continue, data-over (with a query, to
//                              which the page to come back to is added), data-holder;
//                              [data-left] with data-text, a button [data-go-on]
// input[data-digits]           takes full-width digits, spaces and hyphens
// input[data-gaps]             holds a reading in which `?` stands for what could not be read: the
//                              next one is selected, so that what is typed takes its place
// input[data-retrieval]        says data-slip when the check digit does not fit
// input[data-filter=ID]        hides the rows of that table which do not match; data-count: {n}
// [data-refresh=SECONDS]       fetches data-from so often and takes its part of that id over, for as
//                              long as the part asks for it, and nobody's focus is in it
// [data-warm]                  asks the server to make that ready once this page has come
// #live, #errors               the polite live region; the summary of errors

/** No more than one message in this time reaches a screen reader. */
const QUIET = 5_000;
/** A second submission within this time is a double click. */
const DOUBLE = 10_000;
/** When the time left is spoken, in seconds; its end is spoken too. */
const SPOKEN = [300, 60];

/** A part that asks to be refreshed longer than this has been forgotten in an open window. */
const FRESHENED = 600_000;

// ------------------------------------------------------------------------------ announcements

let saidAt = -QUIET;
let unsaid;

/** Puts a message into the live region, later when another one was only just put there. */
function say(text) {
  const live = document.getElementById('live');
  if (!live || !text) return;
  clearTimeout(unsaid);
  const rest = saidAt + QUIET - performance.now();
  if (rest > 0) {
    unsaid = setTimeout(say, rest, text);
    return;
  }
  saidAt = performance.now();
  // The same words twice would be no change and stay unspoken.
  live.textContent = live.textContent === text ? `${text}\u00a0` : text;
}

/** Puts values into the places of a text from the markup: {m}, {s}, {n}. */
export function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
}

/** A page that comes back with mistakes starts at their summary. */
function focusErrors() {
  const summary = document.getElementById('errors');
  if (!summary) return;
  summary.tabIndex = -1;
  summary.focus();
}

// ------------------------------------------------------------------------------------- clicks

function onClick(event) {
  const copy = event.target.closest('[data-copy]');
  if (copy) copyDigits(copy);
  if (event.target.closest('[data-print]')) window.print();
  const link = event.target.closest('a[data-window]');
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) openWindow(link);
}

/** Without spaces, because some banks' fields cut what is pasted after 16 characters. */
async function copyDigits(button) {
  try {
    const digits = document.getElementById(button.dataset.copy).textContent.replace(/\D/g, '');
    await navigator.clipboard.writeText(digits);
    say(button.dataset.done);
  } catch {
    say(button.dataset.failed);
  }
}

/** Opens the window before it is needed; where that is refused, the target attribute remains. */
function openWindow(element) {
  const opened = window.open('', element.dataset.window, 'popup,width=720,height=860');
  if (!opened) return;
  element.target = element.dataset.window;
  opened.focus();
}

// -------------------------------------------------------------------------------- submissions

let sent = new WeakMap();

/** Before any other script sees the submission: digits in order, a slip told without an attempt. */
function checkEntries(event) {
  for (const field of event.target.querySelectorAll('input[data-digits]')) tidyField(field);
  const entry = event.target.querySelector('input[data-retrieval]');
  const slip = entry?.dataset.slip && digitsFault(entry.value) === 'check';
  if (entry) complain(entry, slip ? entry.dataset.slip : '');
  if (!slip) return;
  event.preventDefault();
  event.stopPropagation();
}

/** After every other script: what one of them stopped was no submission. The button stays enabled,
 *  since a disabled one explains nothing. */
function letThroughOnce(event) {
  const form = event.target;
  if (event.defaultPrevented) return;
  if (form.matches('[data-once]')) {
    const now = performance.now();
    if (now - (sent.get(form) ?? -DOUBLE) < DOUBLE) {
      event.preventDefault();
      return;
    }
    sent.set(form, now);
  }
  if (form.matches('[data-window]')) openWindow(form);
}

/** Says beside a field what is wrong with it; an empty text takes that back. */
function complain(field, text = '') {
  const id = `${field.id || field.name}-error`;
  const note = document.getElementById(id) ?? document.createElement('p');
  note.textContent = text;
  note.hidden = text === '';
  field.setAttribute('aria-invalid', text !== '');
  if (note.id === '') {
    Object.assign(note, { id, className: 'mistake' });
    const others = field.getAttribute('aria-describedby') ?? '';
    field.setAttribute('aria-describedby', `${others} ${id}`.trim());
    field.after(note);
  }
  if (text !== '') field.focus();
}

// ------------------------------------------------------------------------------------- digits

const composing = new WeakSet();

/** Never while an input method composes: the text would be torn from under it. */
function tidyField(field) {
  if (composing.has(field)) return;
  const tidy = tidyDigits(field.value);
  if (tidy !== field.value) field.value = tidy;
}

const SEPARATORS = /[\p{White_Space}\-‐−ー－–]/gu;

/** Full-width digits become half-width; spaces and hyphens go. */
export function tidyDigits(text) {
  return text.replace(SEPARATORS, '').replace(/[０-９]/g, (digit) =>
    String.fromCharCode(digit.charCodeAt(0) - 0xfee0));
}

/** Selects the next gap of a reading. */
function seekGap(field) {
  const at = field.value.indexOf('?');
  if (at >= 0 && !composing.has(field)) field.setSelectionRange(at, at + 1);
}

/** The quasigroup of H. M. Damm's check digit (2004), the same as on the server. */
const DAMM = [
  '0317598642', '7092154863', '4206871359', '1750983426', '6123045978',
  '3674209581', '5869720134', '8945362017', '9438617205', '2581436790',
];

/** Judges an entry exactly as the server does: 'length', 'character', 'check', or null. */
export function digitsFault(entry) {
  if (new TextEncoder().encode(entry).length > 128) return 'length';
  const digits = tidyDigits(entry);
  const stranger = digits.search(/[^0-9]/);
  if (stranger >= 0 && stranger <= 16) return 'character';
  if (digits.length !== 16) return 'length';
  return [...digits].reduce((interim, digit) => DAMM[interim][digit], 0) === '0' ? null : 'check';
}

// ---------------------------------------------------------------------------------- countdown

/** When the server answered, on this page's clock that nobody can set. */
function answeredAt() {
  return performance.getEntriesByType('navigation')[0]?.responseStart ?? 0;
}

function countDown(element) {
  const { countdown: end, now } = element.dataset;
  const deadline = answeredAt() + (Number(end) - Number(now)) * 1_000;
  const text = element.querySelector('[data-left]') ?? element;
  const meter = meterOf(element);
  let previous;
  let timer;
  const tick = () => {
    clearTimeout(timer);
    const rest = deadline - performance.now();
    const left = Math.max(0, Math.ceil(rest / 1_000));
    text.textContent = timeLeft(element.dataset, left);
    if (meter) meter.value = left;
    if (left > 0) {
      if (isSpoken(previous ?? left, left)) say(text.textContent);
      previous = left;
      timer = setTimeout(tick, (rest % 1_000) + 1);
    } else {
      document.removeEventListener('visibilitychange', tick);
      endCountdown(element);
    }
  };
  // A tab in the background may tick only once a minute.
  document.addEventListener('visibilitychange', tick);
  if (Number.isFinite(deadline)) tick();
}

/** The bar around the text, in it, or beside it. */
function meterOf(element) {
  const around = element.closest('[data-meter]') ?? element.querySelector('[data-meter]');
  const found = around ?? element.parentElement?.querySelector('[data-meter]');
  return found?.querySelector('progress') ?? null;
}

/** The words for the seconds left; whole minutes and mere seconds may have words of their own. */
export function timeLeft(words, left) {
  const values = { m: Math.floor(left / 60), s: left % 60 };
  let text = words.text ?? '{m}:{s}';
  if (values.m === 0) text = words.seconds ?? text;
  else if (values.s === 0) text = words.minutes ?? text;
  return filled(text, values);
}

/** Whether one of the spoken moments lies between two ticks. */
export function isSpoken(previous, left) {
  return SPOKEN.some((moment) => previous > moment && left <= moment);
}

/** What had its time leaves the page altogether: digits are not hidden but gone. */
function endCountdown(element) {
  const { hides, shows, ended } = element.dataset;
  const gone = document.getElementById(hides);
  const instead = document.getElementById(shows);
  const held = gone?.contains(document.activeElement);
  say(ended ?? element.textContent.trim());
  gone?.remove();
  if (!instead) return;
  instead.hidden = false;
  if (!held) return;
  instead.tabIndex = -1;
  instead.focus();
}

// ------------------------------------------------------------------------------------ session

/** Warns before the session's idle time is over. Every answer to any tab starts it anew. */
function watchSession(dialog) {
  const { idle, warn, continue: address, over } = dialog.dataset;
  const channel = new BroadcastChannel('session');
  const text = dialog.querySelector('[data-left]');
  let began = answeredAt();

  const alive = () => {
    began = performance.now();
    if (dialog.open) dialog.close();
  };
  const leave = () => {
    clearInterval(timer);
    saveDraft(dialog.dataset.holder);
    location.assign(`${over}&back=${encodeURIComponent(location.pathname)}`);
  };
  const goOn = async () => {
    const answer = await fetch(address, { method: 'POST', credentials: 'same-origin' })
      .catch(() => null);
    // Without a connection the warning stays, and the time runs on.
    if (!answer) return;
    if (!answer.ok || answer.redirected) {
      leave();
      return;
    }
    alive();
    channel.postMessage('alive');
  };
  const tick = () => {
    const left = Math.ceil(Number(idle) - (performance.now() - began) / 1_000);
    if (left <= 0) leave();
    else if (left <= Number(warn)) {
      if (text) text.textContent = timeLeft(text.dataset, left);
      if (!dialog.open) dialog.showModal();
    }
  };
  const timer = setInterval(tick, 1_000);

  document.addEventListener('visibilitychange', tick);
  dialog.querySelector('[data-go-on]')?.addEventListener('click', goOn);
  // Whoever presses Escape is there.
  dialog.addEventListener('cancel', (event) => {
    event.preventDefault();
    goOn();
  });
  channel.addEventListener('message', alive);
  channel.postMessage('alive');
}

// ------------------------------------------------------------------------------------- drafts

const TYPED = /^(text|search|email|tel|number|date|month|textarea|select-one)$/;
const CHOSEN = /^(radio|checkbox)$/;
const SECRET = /one-time-code|password|^off$/;

/** Only what is plainly no secret may touch the browser's storage. */
export function isKept(field) {
  const { type, name, autocomplete, dataset } = field;
  if (!name || 'secret' in dataset || 'retrieval' in dataset) return false;
  return (TYPED.test(type) || CHOSEN.test(type)) && !SECRET.test(autocomplete);
}

export function draftOf(fields) {
  return fields.filter(isKept).map(({ name, value, checked }) => ({ name, value, checked }));
}

/** Fields of one name take their values in order; a choice finds itself by its value. */
export function restoreDraft(fields, draft) {
  const rest = [...draft];
  for (const field of fields.filter(isKept)) {
    const chosen = CHOSEN.test(field.type);
    const at = rest.findIndex(({ name, value }) =>
      name === field.name && (!chosen || value === field.value));
    if (at < 0) continue;
    const [kept] = rest.splice(at, 1);
    if (chosen) field.checked = kept.checked;
    else field.value = kept.value;
  }
}

function draftFields() {
  return Array.from(document.forms).flatMap((form) => Array.from(form.elements));
}

/** The holder keeps one person's draft from the next one at the same browser. */
function saveDraft(holder = '') {
  const fields = draftOf(draftFields());
  if (fields.length === 0) return;
  try {
    sessionStorage.setItem(`draft:${location.pathname}`, JSON.stringify({ holder, fields }));
  } catch {
    // Storage may be full or forbidden: then nothing is restored.
  }
}

/** Once, on the same page after signing in again. */
function takeDraft(holder = '') {
  const name = `draft:${location.pathname}`;
  try {
    const draft = JSON.parse(sessionStorage.getItem(name));
    sessionStorage.removeItem(name);
    if (draft?.holder === holder) restoreDraft(draftFields(), draft.fields);
  } catch {
    // As above.
  }
}

// ------------------------------------------------------------------------------------- filter

/** Makes spellings equal: width and case, hiragana and katakana. */
export function folded(text) {
  const plain = text.normalize('NFKC').toLowerCase();
  return plain.replace(/[ぁ-ゖゝゞ]/g, (kana) => String.fromCharCode(kana.charCodeAt(0) + 0x60));
}

/** Whether every word asked for is somewhere in the text. */
export function isMatch(text, asked) {
  // Names are found whether or not a space stands between their parts.
  const whole = folded(text).replace(/\s+/g, '');
  return folded(asked).split(/\s+/).every((word) => whole.includes(word));
}

function filterRows(field) {
  const table = document.getElementById(field.dataset.filter);
  let shown = 0;
  for (const row of table?.querySelectorAll('tbody tr') ?? []) {
    // A chosen row stays in sight: it is what will be sent.
    row.hidden = !isMatch(row.textContent, field.value) && !row.querySelector(':checked');
    if (!row.hidden) shown += 1;
  }
  return shown;
}

function watchFilter(field) {
  const apply = (event) => {
    if (event.isComposing) return;
    const shown = filterRows(field);
    if (field.dataset.count) say(filled(field.dataset.count, { n: shown }));
  };
  field.addEventListener('input', apply);
  field.addEventListener('compositionend', apply);
  if (field.value) filterRows(field);
}

// ------------------------------------------------------------------------------- what goes on

/** Keeps a part fresh while something goes on in it. Whoever is in it with the focus is not disturbed. */
function keepFresh(part, since = performance.now()) {
  const { refresh, from } = part.dataset;
  if (!refresh || performance.now() - since > FRESHENED) return;
  setTimeout(async () => {
    let fresh = part;
    if (!document.hidden && !part.contains(document.activeElement)) {
      const answer = await fetch(from, { credentials: 'same-origin' }).catch(() => null);
      const text = answer?.ok && !answer.redirected ? await answer.text() : '';
      const page = new DOMParser().parseFromString(text, 'text/html');
      const found = page.getElementById(part.id);
      if (found && !part.contains(document.activeElement)) {
        fresh = document.adoptNode(found);
        part.replaceWith(fresh);
        say(fresh.querySelector('[data-said]')?.textContent.trim());
      }
    }
    keepFresh(fresh, since);
  }, 1_000 * Number(refresh));
}

// -------------------------------------------------------------------------------------- start

function start() {
  document.documentElement.classList.add('js');
  document.addEventListener('click', onClick);
  document.addEventListener('submit', checkEntries, { capture: true });
  document.addEventListener('submit', letThroughOnce);
  document.addEventListener('compositionstart', (event) => composing.add(event.target));
  document.addEventListener('compositionend', ({ target }) => {
    composing.delete(target);
    if (target.matches('input[data-gaps]')) seekGap(target);
  });
  document.addEventListener('focusin', ({ target }) => {
    // A browser selects the whole field after this event.
    if (target.matches('input[data-gaps]')) setTimeout(seekGap, 0, target);
  });
  document.addEventListener('paste', (event) => {
    const { target, clipboardData } = event;
    if (!target.matches('input[data-gaps]')) return;
    // The whole number takes the place of what was read; a part of it goes where the cursor is.
    const pasted = clipboardData.getData('text').normalize('NFKC').replaceAll(/\D/g, '');
    if (pasted.length < target.value.replaceAll(/[^\d?]/g, '').length) return;
    event.preventDefault();
    target.value = pasted;
  });
  document.addEventListener('input', ({ target, inputType }) => {
    // Whoever takes something back wants to write there, and nowhere else.
    if (target.matches('input[data-gaps]') && !inputType?.startsWith('delete')) seekGap(target);
  });
  document.addEventListener('focusout', ({ target }) => {
    if (target.matches('input[data-digits]')) tidyField(target);
  });
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) sent = new WeakMap();
  });
  const session = document.querySelector('dialog#session');
  if (session) {
    takeDraft(session.dataset.holder);
    watchSession(session);
  }
  document.querySelectorAll('[data-countdown]').forEach(countDown);
  document.querySelectorAll('input[data-filter]').forEach(watchFilter);
  document.querySelectorAll('[data-refresh]').forEach((part) => keepFresh(part));
  focusErrors();
  addEventListener('load', () => setTimeout(makeReady, 200));
}

/** What will be opened next is made ready while this page is read. Nothing comes of a failure. */
function makeReady() {
  const next = document.querySelector('[data-warm]')?.dataset.warm;
  if (next) fetch(next, { credentials: 'same-origin', priority: 'low' }).catch(() => null);
}

if (typeof document !== 'undefined') start();
