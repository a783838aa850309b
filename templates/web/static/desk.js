// The desk: keys, the scan's zoom, turn and frames, the lens over the field in hand. Everything here
// only speeds up what the page does without it. Behaviour is bound by data attributes:
//
// [data-key=KEYS]      pressed by that key, as "Ctrl+Enter", "Alt+R", "?"; single letters only
//                      outside fields
// [data-opens=ID]      opens that dialog
// [data-scan]          holds svg[data-sheet], [data-zoom], [data-turn], [data-frames], [data-fit],
//                      [data-scale] and [data-lens] with an svg
// [data-field=NAME]    a row; data-window, data-on; its frame is [data-frame=NAME]
// [data-attention]     a row that wants a look
// [data-views]         the seal's views as radio buttons; flickering stops at any key
// [data-split]         moves the edge between the seal's two halves
// [data-first]         has the focus when the page opens, unless something must be typed

const WHOLE = [0, 0, 210, 297];
const STEP = 1.25;
const MOST = 6;

/** The name of a key press, as the markup writes it; nothing while a word is being composed. */
export function keyName(event) {
  if (event.isComposing || event.keyCode === 229 || event.metaKey) return '';
  const key = { ArrowUp: '↑', ArrowDown: '↓' }[event.key] ?? event.key;
  const name = key.length === 1 ? key.toUpperCase() : key;
  return `${event.ctrlKey ? 'Ctrl+' : ''}${event.altKey ? 'Alt+' : ''}${name}`;
}

/** A window of the page, larger or smaller around its own middle, and never outside. */
export function zoomed([x, y, w, h], factor) {
  const width = Math.min(WHOLE[2], Math.max(WHOLE[2] / MOST, w / factor));
  const height = (width * WHOLE[3]) / WHOLE[2];
  return moved([x + (w - width) / 2, y + (h - height) / 2, width, height], 0, 0);
}

/** The window, moved by millimetres and kept on the page. */
export function moved([x, y, w, h], dx, dy) {
  const kept = (at, size, all) => Math.min(Math.max(at, 0), Math.max(all - size, 0));
  return [kept(x + dx, w, WHOLE[2]), kept(y + dy, h, WHOLE[3]), w, h];
}

function isTyping(target) {
  return target.matches('textarea, select, input:not([type=radio], [type=checkbox], [type=button])');
}

// ------------------------------------------------------------------------------------- the scan

class Scan {
  constructor(root) {
    this.root = root;
    this.sheets = [...root.querySelectorAll('svg[data-sheet]')];
    this.window = WHOLE;
    this.angle = 0;
    root.addEventListener('click', (event) => this.press(event.target.closest('button')));
    for (const sheet of this.sheets) this.watch(sheet);
  }

  press(button) {
    if (!button) return;
    const { zoom } = button.dataset;
    if (zoom) this.show(zoomed(this.window, zoom === 'in' ? STEP : 1 / STEP));
    if ('turn' in button.dataset) this.turn();
    if ('fit' in button.dataset) {
      this.angle = 270;
      this.turn();
      this.show(WHOLE);
    }
    if ('frames' in button.dataset) {
      const hidden = this.root.classList.toggle('no-frames');
      button.setAttribute('aria-pressed', String(!hidden));
    }
  }

  show(window) {
    this.window = window;
    for (const sheet of this.sheets) sheet.setAttribute('viewBox', window.join(' '));
    const scale = this.root.querySelector('[data-scale]');
    if (scale) scale.textContent = `${Math.round((100 * WHOLE[2]) / window[2])}%`;
  }

  turn() {
    this.angle = (this.angle + 90) % 360;
    for (const sheet of this.sheets) {
      sheet.querySelector('[data-turned]').setAttribute('transform', `rotate(${this.angle} 105 148.5)`);
    }
  }

  watch(sheet) {
    let from;
    sheet.addEventListener('pointerdown', (event) => {
      from = [event.clientX, event.clientY];
      sheet.setPointerCapture(event.pointerId);
    });
    sheet.addEventListener('pointermove', (event) => {
      if (!from) return;
      const scale = this.window[2] / sheet.getBoundingClientRect().width;
      const [x, y] = from;
      from = [event.clientX, event.clientY];
      this.show(moved(this.window, (x - from[0]) * scale, (y - from[1]) * scale));
    });
    for (const end of ['pointerup', 'pointercancel']) sheet.addEventListener(end, () => { from = undefined; });
    sheet.addEventListener('wheel', (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      this.show(zoomed(this.window, event.deltaY < 0 ? STEP : 1 / STEP));
    }, { passive: false });
  }

  /** Puts a field under the lens and marks its frame. */
  look(row) {
    for (const one of document.querySelectorAll('.now')) one.classList.remove('now');
    row.classList.add('now');
    this.root.querySelector(`[data-frame="${row.dataset.field}"]`)?.classList.add('now');
    const lens = this.root.querySelector('[data-lens]');
    if (!lens) return;
    const [x, y, w, h] = row.dataset.window.split(' ').map(Number);
    const svg = lens.querySelector('svg');
    svg.setAttribute('viewBox', [x - 2, y - 1, w + 4, h + 2].join(' '));
    const sheet = this.sheets.find((one) => one.dataset.sheet === row.dataset.on);
    const image = sheet?.querySelector('image');
    if (image) svg.querySelector('image')?.setAttribute('href', image.getAttribute('href'));
    lens.querySelector('[data-lens-name]').textContent = row.querySelector('h3').textContent;
  }
}

// ------------------------------------------------------------------------------------- the keys

function press(name, target) {
  const isBare = name.length === 1;
  if (isBare && isTyping(target)) return false;
  const found = [...document.querySelectorAll('[data-key]')]
    .find((one) => one.dataset.key.toUpperCase() === name.toUpperCase());
  if (!found) return special(name);
  found.click();
  return true;
}

function special(name) {
  if (name === '/') return focusOn(document.querySelector('input[type=search]')) || follow('/search');
  if (name === 'Alt+O') return nextView();
  if (name === 'Alt+Z') return Boolean(document.querySelector('[data-lens]')?.classList.toggle('large') ?? false) || true;
  if (name === 'Alt+↓') return attention(1);
  if (name === 'Alt+↑') return attention(-1);
  return false;
}

function follow(path) {
  const link = document.querySelector(`nav a[href="${path}"]`);
  link?.click();
  return Boolean(link);
}

function focusOn(element) {
  element?.focus();
  return Boolean(element);
}

function nextView() {
  const views = [...document.querySelectorAll('[data-views] input')];
  if (views.length === 0) return false;
  views[(views.findIndex((view) => view.checked) + 1) % views.length].checked = true;
  return true;
}

/** To the next field that wants a look; to what is to be typed in it, where there is something. */
function attention(step) {
  const rows = [...document.querySelectorAll('[data-attention]')];
  if (rows.length === 0) return false;
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const row = rows[(at + step + rows.length) % rows.length] ?? rows[0];
  row.scrollIntoView({ block: 'nearest' });
  return focusOn(row.querySelector('input') ?? row);
}

function onKey(event) {
  const flicker = document.querySelector('[data-views] input[value=flicker]:checked');
  if (flicker) document.querySelector('[data-views] input[value=side]').checked = true;
  const name = keyName(event);
  if (!name || document.querySelector('dialog[open]')) return;
  const { target } = event;
  if (name === 'Enter' && isTyping(target) && target.form?.id === 'handing') {
    // A form is handed on by its own key only: Enter leads to the next field.
    const fields = [...document.querySelectorAll('[form=handing]')];
    focusOn(fields[fields.indexOf(target) + (event.shiftKey ? -1 : 1)]);
    event.preventDefault();
    return;
  }
  if (press(name, target)) event.preventDefault();
}

function start() {
  document.addEventListener('keydown', onKey);
  document.addEventListener('click', ({ target }) => {
    const opener = target.closest('[data-opens]');
    if (opener) document.getElementById(opener.dataset.opens).showModal();
  });
  document.querySelector('[data-split]')?.addEventListener('input', ({ target }) => {
    document.querySelector('.seal-views').style.setProperty('--split', `${target.value}%`);
  });
  const root = document.querySelector('[data-scan]');
  const rows = [...document.querySelectorAll('[data-field]')];
  if (root) {
    const scan = new Scan(root);
    for (const row of rows) {
      row.addEventListener('focusin', () => scan.look(row));
      row.addEventListener('click', () => scan.look(row));
    }
    const first = rows.find((row) => 'attention' in row.dataset) ?? rows[0];
    if (first) scan.look(first);
  }
  if (document.getElementById('errors')) return;
  const typed = document.querySelector('[data-field] input[form=handing]');
  (typed ?? document.querySelector('[data-first]'))?.focus({ focusVisible: true });
}

if (globalThis.document) start();
