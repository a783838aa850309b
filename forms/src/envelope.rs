//! What shows through the window of an envelope, and who writes: the same on every letter.

use crate::barcode::{CustomerBarcode, HEIGHT_MM, QUIET_MM};
use crate::data::House;
use crate::fault::PrintFault;
use crate::flow::wrap;
use crate::form3::BoxMm;
use crate::print::WINDOW;
use crate::sheet::{Align, Ink, MM_PER_POINT, Sheet, Style};

type Drawn = Result<(), PrintFault>;

/// Headings and frames of letters.
pub(crate) const STRONG: Ink = Ink(26, 62, 114);
/// Behind labels.
pub(crate) const TINT: Ink = Ink(243, 245, 248);

/// To whom a letter goes, as it shows through the window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addressee {
    /// The postal code, `100-0000`.
    pub postal_code: String,
    /// The registered address, one or two lines.
    pub address: Vec<String>,
    /// The company.
    pub company: String,
    /// The department, or empty.
    pub department: String,
    /// The person, without 様; empty for a letter to the company (御中).
    pub name: String,
}

/// From the left edge of the window to the text.
const INDENT: f32 = 3.0;
/// The height of a line in ems.
const LINE_EM: f32 = 1.35;
/// The room that the lines of the panel share: what the barcode and its quiet zone leave.
const ROOM: f32 = WINDOW.h - 2.0 * QUIET_MM - HEIGHT_MM - 1.0;
/// Nothing is set smaller than this.
const SMALLEST_POINTS: f32 = 6.0;

/// The postal code, the address, the names, and the bars under them.
pub(crate) fn draw_panel(sheet: &mut Sheet<'_>, to: &Addressee) -> Drawn {
    let lines = panel_lines(sheet, to)?;
    let height = |points: f32| points * MM_PER_POINT * LINE_EM;
    let needed: f32 = lines.iter().map(|(points, _)| height(*points)).sum();
    let scale = (ROOM / needed).min(1.0);
    let mut y = WINDOW.y + 1.0;
    for (points, text) in &lines {
        let high = height(points * scale);
        fitting(sheet, [WINDOW.x + INDENT, y + high / 2.0], points * scale, text)?;
        y += high;
    }
    if let Some(barcode) = CustomerBarcode::of(&to.postal_code, &to.address.join(" ")) {
        let top = WINDOW.bottom() - QUIET_MM - HEIGHT_MM;
        barcode.draw(sheet, [WINDOW.x + INDENT, top]);
    }
    Ok(())
}

/// The lines with their sizes in points, from the top.
fn panel_lines(sheet: &Sheet<'_>, to: &Addressee) -> Result<Vec<(f32, String)>, PrintFault> {
    let mut lines = vec![(10.0, to.postal_code.clone())];
    for line in &to.address {
        let halves = halved(sheet, Style::value(10.0), line)?;
        lines.extend(halves.into_iter().map(|half| (10.0, half.to_owned())));
    }
    let company = if to.name.is_empty() && to.department.is_empty() {
        format!("{} 御中", to.company)
    } else {
        to.company.clone()
    };
    lines.push((11.0, company));
    if to.name.is_empty() && !to.department.is_empty() {
        lines.push((11.0, format!("{} 御中", to.department)));
    } else if !to.department.is_empty() {
        lines.push((9.5, to.department.clone()));
    }
    if !to.name.is_empty() {
        lines.push((13.0, format!("{} 様", to.name)));
    }
    Ok(lines)
}

/// An address as it stands when it fits, else in two lines, parted before the building if it can be.
fn halved<'t>(sheet: &Sheet<'_>, style: Style, line: &'t str) -> Result<Vec<&'t str>, PrintFault> {
    if sheet.width(style, line)? <= room() {
        return Ok(vec![line]);
    }
    for (at, space) in line.match_indices([' ', '\u{3000}']) {
        let (first, second) = (line.get(..at), line.get(at + space.len()..));
        if let (Some(first), Some(second)) = (first, second)
            && sheet.width(style, first)? <= room()
            && sheet.width(style, second)? <= room()
        {
            return Ok(vec![first, second]);
        }
    }
    wrap(sheet, style, line, room())
}

fn room() -> f32 {
    WINDOW.right() - WINDOW.x - INDENT - 1.0
}

/// Smaller until it fits the window.
fn fitting(sheet: &mut Sheet<'_>, at: [f32; 2], points: f32, text: &str) -> Drawn {
    let width = sheet.width(Style::value(points), text)?;
    let points = if width > room() { points * room() / width } else { points };
    if points < SMALLEST_POINTS {
        return Err(PrintFault::TooLong { field: "addressee".to_owned(), text: text.to_owned() });
    }
    sheet.text(at, Style::value(points), text)?;
    Ok(())
}

/// How the letter travels, in frames at the right: 親展, 簡易書留 …
pub(crate) fn draw_marks(sheet: &mut Sheet<'_>, words: &[&str]) -> Drawn {
    let mut left = 128.0;
    for word in words {
        let width = 21.0;
        sheet.frame(BoxMm::new(left, 20.0, width, 8.0), 0.35, STRONG);
        let style = Style::bold(10.0).ink(STRONG).align(Align::Centre);
        sheet.text([left + width / 2.0, 24.0], style, word)?;
        left += width + 2.0;
    }
    Ok(())
}

/// The bank with its address and telephone number, at the right.
pub(crate) fn draw_sender(sheet: &mut Sheet<'_>, house: &House) -> Drawn {
    sheet.text([128.0, 40.0], Style::bold(11.0), &house.bank)?;
    let lines: Vec<&str> = house.reply_address.iter().take(3).map(String::as_str).collect();
    sheet.lines([128.0, 46.5], 5.0, Style::value(8.0), &lines)?;
    let phone = format!("電話 {}", house.telephone);
    sheet.text([128.0, 62.5], Style::label(8.0), &phone)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::barcode::WIDTH_MM;
    use crate::fonts::{Fonts, Typesetter};

    #[test]
    fn every_line_of_an_address_shows_through_the_window_and_keeps_off_the_bars() {
        let fonts = Fonts::embedded();
        let setter = Typesetter::new(&fonts).unwrap();
        let long =
            "東京都千代田区見本町一丁目2番34号 見本ビルディング西館アネックス15階".to_owned();
        for (address, department, name) in [
            (vec!["東京都千代田区見本町1-1".to_owned()], "", ""),
            (vec![long.clone()], "経理部 財務課", "山田 太郎"),
            (vec![long, "見本気付".to_owned()], "海外事業統括本部 経営管理室", "山田 太郎"),
        ] {
            let to = Addressee {
                postal_code: "100-0099".into(),
                address,
                company: "株式会社サンプル商事ホールディングス東日本統括本社".into(),
                department: department.into(),
                name: name.into(),
            };
            let mut sheet = Sheet::new(&setter);
            draw_panel(&mut sheet, &to).unwrap();
            let bars = WINDOW.bottom() - QUIET_MM - HEIGHT_MM;
            for (extent, what) in &sheet.extents {
                assert!(WINDOW.contains(*extent), "{what} at {extent:?}");
                assert!(extent.bottom() <= bars - QUIET_MM + 0.5, "{what} at {extent:?}");
            }
            let polygons = |op: &&printpdf::Op| matches!(op, printpdf::Op::DrawPolygon { .. });
            assert_eq!(sheet.ops.iter().filter(polygons).count(), 1, "the bars are drawn");
        }
        // The post wants two clear millimetres however the sheet slides.
        const { assert!(INDENT >= QUIET_MM && INDENT + WIDTH_MM + QUIET_MM <= WINDOW.w) };
    }

    #[test]
    fn a_name_too_long_for_the_window_is_refused() {
        let fonts = Fonts::embedded();
        let setter = Typesetter::new(&fonts).unwrap();
        let to = Addressee { name: "山".repeat(60), ..Addressee::default() };
        let fault = draw_panel(&mut Sheet::new(&setter), &to).unwrap_err();
        assert!(matches!(fault, PrintFault::TooLong { .. }), "{fault}");
    }
}
