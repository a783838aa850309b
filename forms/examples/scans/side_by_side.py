#!/usr/bin/env python3
"""Our readings beside what else would be taken: zxing-cpp and zbar for codes, tesseract for digits.

    cargo run --release -p forms --example scans -- draw FOLDER 40 FOLDER-OF-MNIST
    cargo run --release -p forms --example scans -- read FOLDER 10
    apt-get install zbar-tools tesseract-ocr && pip install zxing-cpp pillow
    forms/examples/scans/side_by_side.py FOLDER [FOLDER-FOR-PICTURES]

The same files, one run. A code is right when the case it names is that of the page. Tesseract is given the
cells that we found and cut out, one at a time, without their frames: it is not asked to find them.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import zxingcpp
from PIL import Image, ImageDraw, ImageOps

Image.MAX_IMAGE_PIXELS = None
LEVELS = ["office", "rough", "brutal"]
# Tesseract's own word for how sure it is; below, a person would have to look.
SURE = 90.0


def number_of(text):
    """The case in the text of a code of ours."""
    parts = text.split(":")
    return parts[3] if len(parts) == 6 and parts[0] == "F3" else None


def by_zxing(path):
    formats = [zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.DataMatrix]
    found = zxingcpp.read_barcodes(Image.open(path).convert("L"), formats=formats)
    return [number_of(code.text) for code in found if number_of(code.text)]


def by_zbar(path):
    run = subprocess.run(
        ["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", str(path)],
        capture_output=True, text=True, check=False,
    )
    return [number_of(line) for line in run.stdout.splitlines() if number_of(line)]


class Codes:
    def __init__(self, read):
        self.read, self.right, self.wrong, self.seconds, self.missed = read, 0, 0, 0.0, []

    def page(self, path, wanted):
        started = time.monotonic()
        found = self.read(path)
        self.seconds += time.monotonic() - started
        if wanted in found:
            self.right += 1
        if any(number != wanted for number in found):
            self.wrong += 1
        if wanted not in found:
            self.missed.append(path)


def by_tesseract(pictures):
    """What tesseract makes of each, and how sure it is; one start for all of them."""
    framed = []
    folder = Path(pictures[0]).parent / "framed"
    folder.mkdir(exist_ok=True)
    for picture in pictures:
        cell = ImageOps.autocontrast(Image.open(picture).convert("L"), cutoff=1)
        cell = ImageOps.expand(cell.resize((cell.width * 2, cell.height * 2)), 24, fill=255)
        path = folder / Path(picture).name
        cell.save(path)
        framed.append(str(path))
    listing = folder / "list.txt"
    listing.write_text("\n".join(framed) + "\n")
    started = time.monotonic()
    run = subprocess.run(
        ["tesseract", str(listing), "-", "--dpi", "300", "--psm", "10",
         "-c", "tessedit_char_whitelist=0123456789", "tsv"],
        capture_output=True, text=True, check=True,
    )
    seconds = time.monotonic() - started
    answers = [("", 0.0)] * len(pictures)
    for line in run.stdout.splitlines()[1:]:
        fields = line.split("\t")
        if len(fields) >= 12 and fields[0] == "5" and fields[11].strip():
            page = int(fields[1]) - 1
            text, sure = answers[page]
            answers[page] = (text + fields[11].strip(), max(sure, float(fields[10])))
    return answers, seconds


def share(part, whole):
    return f"{part} of {whole} ({100 * part / max(whole, 1):.1f} %)"


def strip(pictures, path, side, titles=None):
    """Small pictures in a row; no file where there are none."""
    if not pictures:
        return
    high = side + (14 if titles else 0)
    sheet = Image.new("L", (max(len(pictures), 1) * (side + 4), high), 255)
    for index, picture in enumerate(pictures):
        small = ImageOps.contain(Image.open(picture).convert("L"), (side, side))
        sheet.paste(small, (index * (side + 4), high - side))
        if titles:
            ImageDraw.Draw(sheet).text((index * (side + 4), 0), titles[index], fill=0)
    sheet.quantize(16).save(path, optimize=True)


def main():
    folder = Path(sys.argv[1])
    pictures = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    for level in LEVELS:
        into = folder / level
        if not (into / "readings.json").exists():
            continue
        truth = json.loads((into / "truth.json").read_text())
        readings = json.loads((into / "readings.json").read_text())
        ours = Codes(None)
        others = {"zxing-cpp": Codes(by_zxing), "zbar": Codes(by_zbar)}
        for page, read in zip(truth, readings):
            path = into / page["file"]
            ours.seconds += read["seconds"]
            ours.right += read["number"] == page["number"]
            ours.wrong += read["number"] not in (None, page["number"])
            if read["number"] != page["number"]:
                ours.missed.append(path)
            for codes in others.values():
                codes.page(path, page["number"])
        for name, codes in {"ours": ours, **others}.items():
            print(f"{level} codes, {name}: right {share(codes.right, len(truth))}, wrong {codes.wrong}, "
                  f"{1000 * codes.seconds / len(truth):.0f} ms a page")
        cells = [cell for read in readings for cell in read["cells"]]
        paths = [into / "cells" / cell["picture"] for cell in cells]
        answers, seconds = by_tesseract(paths) if cells else ([], 0.0)
        taken = [cell for cell in cells if cell["ours"] not in "? "]
        wrong = [cell for cell in taken if cell["ours"] != cell["truth"]]
        print(f"{level} digits, ours: accepted {share(len(taken), len(cells))}, "
              f"wrong among them {len(wrong)}")
        misread = []
        for least in (0.0, SURE):
            said = [(cell, path, text) for cell, path, (text, sure) in zip(cells, paths, answers)
                    if text and sure >= least]
            bad = [(cell, path, text) for cell, path, text in said if text != cell["truth"]]
            misread = misread or bad
            print(f"{level} digits, tesseract at {least:.0f} % or more: accepted "
                  f"{share(len(said), len(cells))}, wrong among them {share(len(bad), len(said))}, "
                  f"{1000 * seconds / max(len(cells), 1):.0f} ms a cell")
        if pictures:
            for name, codes in {"ours": ours, **others}.items():
                strip(codes.missed[:6], pictures / f"{name}-{level}.png", 150)
            titles = [f"{cell['truth']} as {text}"[:8] for cell, _, text in misread[:12]]
            strip([path for _, path, _ in misread[:12]], pictures / f"tesseract-{level}.png", 48, titles)


if __name__ == "__main__":
    main()
