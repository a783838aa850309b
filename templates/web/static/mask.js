// A rectangle over the picture of a page: drawn with the pointer, moved and sized by the arrow keys, or
// typed as numbers. The fields say where it lies; this file only fills them.
//
// [data-mask]                  the picture; [data-grip] in it is the rectangle
// input[data-side]             x, y, w and h in percent of the picture

/** Percent that a key moves or sizes. */
const STEP = 0.5;
/** Nothing smaller can be laid. */
const LEAST = 0.2;

/** A rectangle in percent, kept on the page. */
export function kept({ x, y, w, h }) {
  const within = (value, least, most) => Math.min(Math.max(value, least), most);
  const [width, height] = [within(w, LEAST, 100), within(h, LEAST, 100)];
  return { x: within(x, 0, 100 - width), y: within(y, 0, 100 - height), w: width, h: height };
}

/** The rectangle between two points. */
export function between([a, b], [c, d]) {
  return { x: Math.min(a, c), y: Math.min(b, d), w: Math.abs(a - c), h: Math.abs(b - d) };
}

/** The rectangle after an arrow key, larger or smaller with Shift; nothing for any other key. */
export function pressed(area, key, isSizing) {
  const by = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[key];
  if (!by) return null;
  const { x, y, w, h } = area;
  return kept(isSizing ? { x, y, w: w + by[0], h: h + by[1] } : { x: x + by[0], y: y + by[1], w, h });
}

class Frame {
  constructor(stage) {
    this.stage = stage;
    this.grip = stage.querySelector('[data-grip]');
    this.fields = [...document.querySelectorAll('input[data-side]')];
    for (const field of this.fields) field.addEventListener('input', () => this.show(this.typed()));
    stage.addEventListener('pointerdown', (event) => this.begin(event));
    this.grip.addEventListener('keydown', (event) => {
      const area = pressed(this.typed(), event.key, event.shiftKey);
      if (!area || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      this.put(area);
    });
    this.show(this.typed());
  }

  typed() {
    const sides = this.fields.map(({ name, value }) => [name, Number.parseFloat(value.normalize('NFKC')) || 0]);
    return kept(Object.fromEntries(sides));
  }

  /** Into the fields, rounded as they are read. */
  put(area) {
    for (const field of this.fields) field.value = area[field.name].toFixed(1);
    this.show(area);
  }

  show({ x, y, w, h }) {
    Object.assign(this.grip.style, { left: `${x}%`, top: `${y}%`, width: `${w}%`, height: `${h}%` });
  }

  at({ clientX, clientY }) {
    const { left, top, width, height } = this.stage.getBoundingClientRect();
    const part = (value, from, size) => Math.min(Math.max((100 * (value - from)) / size, 0), 100);
    return [part(clientX, left, width), part(clientY, top, height)];
  }

  begin(event) {
    if (event.button !== 0) return;
    const first = this.at(event);
    const before = this.typed();
    const moves = event.target === this.grip;
    const drag = (later) => {
      const now = this.at(later);
      const by = [now[0] - first[0], now[1] - first[1]];
      this.put(kept(moves ? { ...before, x: before.x + by[0], y: before.y + by[1] } : between(first, now)));
    };
    const end = () => {
      this.stage.removeEventListener('pointermove', drag);
      this.grip.focus();
    };
    event.preventDefault();
    this.stage.setPointerCapture(event.pointerId);
    this.stage.addEventListener('pointermove', drag);
    for (const over of ['pointerup', 'pointercancel']) this.stage.addEventListener(over, end, { once: true });
  }
}

if (globalThis.document) {
  const stage = document.querySelector('[data-mask]');
  if (stage) new Frame(stage);
}
