// Hands on the keyboard at the staff's desks, with every press counted.

/** Hands that count what they press. A judgement is one deliberate press and counted apart. */
export class Keys {
  constructor(page) {
    this.page = page;
    this.count = 0;
  }

  async press(...keys) {
    for (const key of keys) {
      this.count += 1;
      await this.page.keyboard.press(key);
    }
  }

  /** Goes on with Tab until what is meant has the focus. */
  async reach(selector) {
    for (let presses = 0; presses < 400; presses += 1) {
      if (await this.page.evaluate((what) => document.activeElement.matches(what), selector)) return;
      await this.press('Tab');
    }
    throw new Error(`no Tab leads to ${selector}`);
  }

  type(text) {
    return this.page.keyboard.type(text);
  }

  judge() {
    return this.page.keyboard.press('Space');
  }

  /** What has the focus, as `name=value`. */
  focus() {
    return this.page.evaluate(() => {
      const { name, value, tagName } = document.activeElement;
      return name ? `${name}=${value}` : tagName;
    });
  }
}

/** Waits until the desk is there and its script has put the focus. */
export async function desk(page) {
  await page.waitForURL(/\/desk\/\d+/);
  await page.waitForFunction(() => document.activeElement?.matches('[data-first], [data-field] input'));
  return Number(/desk\/(\d+)/.exec(page.url())[1]);
}

/** Opens a queue and waits for the focus: a key pressed before it would go nowhere. */
export async function queue(world, page, name) {
  await page.goto(`${world.staff}/queue/${name}`);
  await page.waitForFunction(() => document.activeElement?.matches('[autofocus]'));
}

/** A registered-mail number that checks itself. */
export function tracking(index) {
  const number = 1_234_567_000 + index;
  return `${number}${number % 7}`;
}
