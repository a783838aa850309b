// The tour with an inspector.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { contented, inspect } from './inspect.mjs';
import { CHAPTERS } from './tour.mjs';

const ROUTES = ['customer.rs', 'staff.rs'].map((name) => join(import.meta.dirname, '..', '..', 'src', 'web', name));
/** Addresses that answer with a file, and the retrieval of the bank's own list. */
const NO_PAGES = [
  '/form/plain', '/certificate/{case}/chain', '/crl/issuing.crl',
  '/desk/{case}/page/{place}', '/desk/{case}/seal/{view}', '/matching/{case}/page/{place}',
  '/desk/{case}/return/letter/{kind}', '/desk/{case}/warm', '/mask/{case}/original', '/dashboard/csv/{plot}', '/proposals/{case}/picture', '/sign-ins.csv',
];

/** A test for each chapter of the tour in that language, and one that nothing was left out. */
export function pages(lang) {
  const visited = new Set();
  let chapters = 0;
  for (const [name, chapter] of Object.entries(CHAPTERS)) {
    test(`${lang}, ${name}`, async (t) => {
      const faults = [];
      const stop = async (place, page) => {
        visited.add(new URL(page.url()).pathname);
        faults.push(...await inspect(page, place));
      };
      await chapter(t, { lang, stop });
      chapters += 1;
      contented(faults);
    });
  }
  test(`${lang}, every page of the sites was visited`, (t) => {
    if (chapters < Object.keys(CHAPTERS).length) t.skip('chapters were left out');
    else assert.deepEqual(routes().filter((route) => !isVisited(route, visited)), []);
  });
}

/** The addresses of pages, from the routers themselves. */
function routes() {
  const text = ROUTES.map((path) => readFileSync(path, 'utf8')).join('\n');
  const found = text.matchAll(/\.route\("([^"]+)", get\((?!above)/g);
  const all = [...new Set(Array.from(found, ([, route]) => route))];
  assert.ok(all.length > 25, 'the routers were read');
  return all.filter((route) => !NO_PAGES.includes(route));
}

function isVisited(route, visited) {
  const pattern = new RegExp(`^${route.replace(/\{\w+\}/g, '[^/]+')}$`);
  return [...visited].some((path) => pattern.test(path));
}
