// Opens every PDF named on the command line with pdf.js (Firefox) and PDFium (Chromium): each page
// must parse without a complaint, say something, and leave ink on the paper.
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { PDFiumLibrary } from '@hyzyla/pdfium'

const complaints = []
const heard = []
const { log, warn } = console
for (const name of ['log', 'warn', 'error']) {
  console[name] = (...words) => heard.push(words.join(' '))
}

// Loaded only now: what it says of itself while loading is heard and dropped.
const { getDocument } = await import('pdfjs-dist/legacy/build/pdf.mjs')

// What pdf.js says of itself where it finds no canvas; here it only has to parse.
const ofItself = ['@napi-rs/canvas', 'Cannot polyfill', 'Require stack', 'Cannot access the `require`']
const worth = line => !ofItself.some(word => line.includes(word))

async function mozilla(path, bytes) {
  heard.length = 0
  const task = getDocument({ data: new Uint8Array(bytes), verbosity: 1, useSystemFonts: false })
  const pdf = await task.promise
  for (let number = 1; number <= pdf.numPages; number += 1) {
    const page = await pdf.getPage(number)
    const text = await page.getTextContent()
    const drawn = await page.getOperatorList()
    if (text.items.length === 0) complaints.push(`${path} page ${number}: pdf.js reads no text`)
    if (drawn.fnArray.length === 0) complaints.push(`${path} page ${number}: pdf.js draws nothing`)
  }
  await task.destroy()
  for (const line of heard.filter(worth)) complaints.push(`${path}: pdf.js: ${line}`)
  return pdf.numPages
}

async function google(library, path, bytes) {
  const pdf = await library.loadDocument(bytes)
  let count = 0
  for (const page of pdf.pages()) {
    count += 1
    const { data, width, height } = await page.render({ scale: 0.5, render: 'bitmap' })
    let dark = 0
    for (let at = 0; at < data.length; at += 4) if (data[at] < 128) dark += 1
    // A thousandth of the page at least; a page that failed to draw is white.
    if (dark * 1000 < width * height) complaints.push(`${path} page ${count}: PDFium draws nothing`)
  }
  pdf.destroy()
  return count
}

const library = await PDFiumLibrary.init()
let pages = 0
for (const path of process.argv.slice(2)) {
  const bytes = await readFile(path)
  const name = basename(path)
  try {
    const counts = [await google(library, name, bytes), await mozilla(name, bytes)]
    if (counts[0] !== counts[1]) complaints.push(`${name}: ${counts.join(' and ')} pages`)
    pages += counts[0]
  } catch (error) {
    complaints.push(`${name}: ${error.message}`)
  }
}
library.destroy()
Object.assign(console, { log, warn })
for (const line of complaints) console.log(line)
console.log(`pdf.js and PDFium: ${process.argv.length - 2} files, ${pages} pages, ${complaints.length} complaints`)
process.exitCode = complaints.length > 0 || pages === 0 ? 1 : 0
