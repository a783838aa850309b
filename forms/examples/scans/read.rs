//! Our readings of the sets, and the cells of digits as we cut them out, for others to read.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Instant;

use forms::{CodeKey, PageReading, ReadOptions, layout, read_file};
use image::DynamicImage;
use serde_json::{Value, json};

/// Crops for people have so many pixels a millimetre, and show so much around a row.
const PER_MM: f32 = 11.8;
const AROUND_MM: f32 = 1.5;
/// The printed frame of a cell stays outside.
const INSET_MM: f32 = 0.45;

/// Writes `readings.json` and `cells/` into the folder of each set; cells of the first pages only.
pub(crate) fn run(folder: &Path, cells_of: usize) -> Result<(), Box<dyn Error>> {
    for level in fs::read_dir(folder)? {
        let level = level?.path();
        let truth: Value = serde_json::from_slice(&fs::read(level.join("truth.json"))?)?;
        fs::create_dir_all(level.join("cells"))?;
        let mut readings = Vec::new();
        for page in truth.as_array().ok_or("no truth")? {
            let file = page["file"].as_str().ok_or("no file")?;
            let bytes = fs::read(level.join(file))?;
            let crops = readings.len() < cells_of;
            let plain = ReadOptions::new(CodeKey::sample());
            let started = Instant::now();
            let read = read_file(&bytes, file, &plain).pages.pop().ok_or("no page")?;
            let seconds = started.elapsed().as_secs_f64();
            let cells = if crops {
                let options = ReadOptions { crops, ..plain };
                let cut = read_file(&bytes, file, &options).pages.pop().ok_or("no page")?;
                cells(&cut, &page["digits"], &level.join("cells"), file)?
            } else {
                Vec::new()
            };
            readings.push(json!({
                "file": file, "number": read.case_id.map(|number| number.to_string()),
                "seconds": seconds, "cells": cells,
            }));
        }
        fs::write(level.join("readings.json"), serde_json::to_vec_pretty(&readings)?)?;
    }
    Ok(())
}

/// A picture a cell in which something is written: its name, the truth, what we read.
fn cells(
    read: &PageReading,
    truth: &Value,
    folder: &Path,
    file: &str,
) -> Result<Vec<Value>, Box<dyn Error>> {
    let mut cells = Vec::new();
    let (Some(variant), Some(of)) = (read.variant, read.page_of.as_ref()) else { return Ok(cells) };
    let number = of.split('/').next().unwrap_or_default().parse()?;
    let page = layout(forms::Version::One, variant).page(number).ok_or("no such page")?;
    for field in &page.digits {
        let (Some(png), Some(wanted)) = (read.crops.get(&field.id), truth[&field.id].as_str())
        else {
            continue;
        };
        let row = image::load_from_memory(png)?;
        let area = field.area().grown(AROUND_MM);
        let seen = read.digits.get(&field.id).map(|digits| digits.v.clone()).unwrap_or_default();
        let mut seen = seen.chars();
        for (index, (cell, wanted)) in field.cells.iter().zip(wanted.chars()).enumerate() {
            let ours = seen.next().unwrap_or(' ');
            if wanted == ' ' {
                continue;
            }
            let inside = cell.grown(-INSET_MM);
            let picture = cut(&row, [inside.x - area.x, inside.y - area.y, inside.w, inside.h]);
            let name = format!("{file}.{}.{index}.png", field.id);
            picture.save(folder.join(&name))?;
            cells.push(json!({ "picture": name, "truth": wanted, "ours": ours }));
        }
    }
    Ok(cells)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "inside a small picture"
)]
fn cut(row: &DynamicImage, millimetres: [f32; 4]) -> DynamicImage {
    let [x, y, w, h] = millimetres.map(|value| (value * PER_MM).round().max(0.0) as u32);
    row.crop_imm(x, y, w, h).to_luma8().into()
}
