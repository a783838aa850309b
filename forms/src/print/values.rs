//! What differs from copy to copy: codes, number, values, and 見本 on specimens.

use super::{TICK_MM, tick};
use crate::codes;
use crate::data::FieldValues;
use crate::fault::PrintFault;
use crate::form3::{BoxMm, CodeKind, DigitField, PageLayout};
use crate::payload::Payload;
use crate::sheet::{Align, BLACK, GREY, MM_PER_POINT, Sheet, Style};

type Drawn = Result<(), PrintFault>;

/// The size of digits in their cells, in points.
pub(crate) const DIGIT_POINTS: f32 = 16.0;
/// The sizes at which a line of writing is tried.
const TEXT_POINTS: [f32; 6] = [11.0, 10.0, 9.0, 8.0, 7.0, 6.0];

/// The codes and the number in print.
pub(crate) fn draw_identity(
    sheet: &mut Sheet<'_>,
    page: &PageLayout,
    payload: &Payload,
    text: &str,
) -> Drawn {
    for code in &page.codes {
        let modules = match code.kind {
            CodeKind::Qr => codes::qr(text)?,
            CodeKind::DataMatrix => codes::data_matrix(text)?,
        };
        sheet.append(&modules.operators(code.area));
        let [x, _] = code.area.centre();
        let below = code.area.bottom() + 3.6;
        let number = payload.submission.map(crate::SubmissionNumber::grouped);
        match (code.kind, number) {
            (CodeKind::Qr, Some(number)) => {
                let style = Style::bold(9.0).align(Align::Centre);
                sheet.text([x, below + 0.4], style, &number)?;
                let pages = format!("{} / {} ページ", payload.page, payload.pages);
                let style = Style::label(6.5).ink(GREY).align(Align::Centre);
                sheet.text([x, below + 4.6], style, &pages)?;
            }
            (CodeKind::Qr, None) => {
                let pages = format!("{} / {} ページ", payload.page, payload.pages);
                sheet.text([x, below], Style::label(7.5).ink(GREY).align(Align::Centre), &pages)?;
            }
            (CodeKind::DataMatrix, Some(number)) => {
                sheet.text([x, below], Style::label(6.0).align(Align::Centre), &number)?;
            }
            (CodeKind::DataMatrix, None) => {}
        }
    }
    Ok(())
}

/// Writes the values of the fields that stand on this page.
pub(crate) fn draw_values(sheet: &mut Sheet<'_>, page: &PageLayout, values: &FieldValues) -> Drawn {
    for field in &page.texts {
        if let Some(text) = values.texts.get(&field.id) {
            draw_text(sheet, &field.id, field.area, text)?;
        }
    }
    for field in &page.digits {
        if let Some(digits) = values.digits.get(&field.id) {
            draw_digits(sheet, field, digits)?;
        }
    }
    let ticked = page.checkboxes.iter().filter(|field| values.checks.contains(&field.id));
    for field in ticked {
        sheet.pen(TICK_MM, BLACK);
        sheet.stroke(&tick(field.area));
    }
    Ok(())
}

fn draw_digits(sheet: &mut Sheet<'_>, field: &DigitField, digits: &str) -> Drawn {
    let given = digits.chars().count();
    if given > field.cells.len() {
        let (field, cells) = (field.id.clone(), field.cells.len());
        return Err(PrintFault::TooManyDigits { field, given, cells });
    }
    let style = Style::label(DIGIT_POINTS).align(Align::Centre);
    for (cell, digit) in field.cells.iter().zip(digits.chars()) {
        sheet.text(cell.centre(), style, digit.encode_utf8(&mut [0; 4]))?;
    }
    Ok(())
}

/// One line when it fits, else two; smaller until it fits, and refused below six points.
fn draw_text(sheet: &mut Sheet<'_>, id: &str, area: BoxMm, text: &str) -> Drawn {
    let (left, room) = (area.x + 2.5, area.w - 5.0);
    let [_, middle] = area.centre();
    for points in TEXT_POINTS {
        let style = Style::value(points);
        if sheet.width(style, text)? <= room {
            // A hint in small type may stand in the upper part of a high box.
            sheet.text([left, middle + if area.h > 11.0 { 0.8 } else { 0.0 }], style, text)?;
            return Ok(());
        }
        let leading = points * MM_PER_POINT * 1.25;
        if leading * 2.0 > area.h - 1.0 || points > 9.0 {
            continue;
        }
        if let Some((first, second)) = broken(sheet, style, text, room)? {
            return sheet.lines([left, middle - leading / 2.0], leading, style, &[first, second]);
        }
    }
    Err(PrintFault::TooLong { field: id.to_owned(), text: text.to_owned() })
}

/// The text in two lines that both fit, the first as long as possible.
fn broken<'t>(
    sheet: &Sheet<'_>,
    style: Style,
    text: &'t str,
    room: f32,
) -> Result<Option<(&'t str, &'t str)>, PrintFault> {
    for (at, _) in text.char_indices().rev() {
        let (first, second) = text.split_at(at);
        if sheet.width(style, first)? <= room {
            let fits = sheet.width(style, second)? <= room && !first.is_empty();
            return Ok(fits.then_some((first.trim_end(), second.trim_start())));
        }
    }
    Ok(None)
}

/// 見本 in the upper margin, where nothing is read.
pub(crate) fn draw_specimen(sheet: &mut Sheet<'_>) -> Drawn {
    let area = BoxMm::new(141.0, 8.6, 17.0, 6.6);
    sheet.frame(area, 0.4, GREY);
    let style = Style::bold(11.0).ink(GREY).align(Align::Centre);
    sheet.text(area.centre(), style, "見本")?;
    Ok(())
}
