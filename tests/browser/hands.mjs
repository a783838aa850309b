// What a person does at a page, by the words they read there.
import { words } from './words.mjs';

export class Hands {
  constructor(page, lang = 'ja') {
    this.page = page;
    this.say = words(lang);
  }

  /** Types into the field with that label. */
  type(key, text) {
    return this.page.getByLabel(this.say(key), { exact: true }).fill(text);
  }

  button(key) {
    return this.page.getByRole('button', { name: this.say(key), exact: true });
  }

  press(key) {
    return this.button(key).click();
  }

  /** Follows a link; a card's link says more than its title. */
  follow(key) {
    return this.page.getByRole('link', { name: this.say(key) }).first().click();
  }

  /** Waits until the words stand on the page. */
  reads(key, values) {
    return this.page.getByText(this.say(key, values)).first().waitFor();
  }

  /** Waits for the page with that title. */
  arrives(key, values) {
    return this.page.getByRole('heading', { level: 1, name: this.say(key, values) }).waitFor();
  }

  /** Picks a colleague in the list, for a reason. */
  async pick(colleague, reason = 'expired') {
    await this.page.locator('#reason').selectOption(reason);
    await this.page.locator(`button[value="${colleague.id}"]`).click();
  }

  /** At the customers' site. */
  async signIn(person) {
    await this.type('customer.sign_in.contract', person.contract);
    await this.type('customer.sign_in.user_id', person.id);
    await this.enter(person);
  }

  /** At the certificate site, which knows who comes. */
  async enter(person) {
    await this.type('customer.sign_in.password', person.login);
    await this.press('customer.sign_in.do');
  }
}

/** The digits on a page. */
export async function digitsOn(page) {
  const text = await page.locator('#digits-shown').innerText();
  return text.replace(/\s/g, '');
}
