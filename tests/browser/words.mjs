// The words of the pages, from the message files themselves.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '..', '..', 'templates', 'text');

/** Sections, keys and quoted texts: all that the message files use of TOML. */
function read(lang) {
  const texts = new Map();
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(`${lang}.toml`));
  for (const file of files) {
    let section = '';
    for (const line of readFileSync(join(FOLDER, file), 'utf8').split('\n')) {
      const heading = /^\[(.+)\]$/.exec(line);
      if (heading) section = heading[1];
      const pair = /^([\w.]+) = "(.*)"$/.exec(line);
      if (pair) texts.set(`${section}.${pair[1]}`, pair[2].replaceAll('\\"', '"'));
    }
  }
  return texts;
}

/** A function from keys to words; `{name}` in them is filled from `values`. */
export function words(lang) {
  const texts = read(lang);
  return (key, values = {}) => {
    const text = texts.get(key);
    if (text === undefined) throw new Error(`no text under ${key} in ${lang}`);
    return text.replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
  };
}

/** A text with places as a pattern in which anything may stand there. */
export function pattern(text) {
  const literal = text.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(literal.join('.+'));
}
