// Loads a script of the pages as the browser does: a module without any page around it.
import { readFile } from 'node:fs/promises';
import { webcrypto } from 'node:crypto';

// Before version 19 Node keeps it elsewhere.
globalThis.crypto ??= webcrypto;

const root = new URL('../../', import.meta.url);

/** A text of the project, by its path from the root. */
export function text(path) {
  return readFile(new URL(path, root), 'utf8');
}

/** The address keeps older versions of Node from taking the file for another kind of module. */
export async function load(name) {
  const source = await text(`templates/web/static/${name}`);
  return import(`data:text/javascript;base64,${Buffer.from(source).toString('base64')}`);
}
