//! The slip with which a customer answers whether a change of address is theirs.

use super::{Day, LetterHead};
use crate::envelope::STRONG;
use crate::fault::PrintFault;
use crate::form3::BoxMm;
use crate::sheet::{Align, BLACK, GREY, Sheet, Style};

/// What an inquiry at the former address names. The new address is never printed: whoever
/// changed it without right would learn what the bank believes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inquiry<'a> {
    /// The day on which the address was changed.
    pub changed_on: &'a Day,
    /// The last day for an answer.
    pub answer_by: &'a Day,
}

/// The last third of the sheet, to be cut off and sent back.
const TOP: f32 = 198.0;
const BOX_MM: f32 = 5.0;

pub(super) fn draw_slip(sheet: &mut Sheet<'_>, head: &LetterHead<'_>) -> Result<(), PrintFault> {
    for dash in 0_u8..46 {
        let x = 14.0 + f32::from(dash) * 4.0;
        if !(96.0..112.0).contains(&x) {
            sheet.line([x, TOP], [x + 2.0, TOP], 0.2, GREY);
        }
    }
    let style = Style::label(7.0).ink(GREY).align(Align::Centre);
    sheet.text([105.0, TOP], style, "切り取り線")?;
    sheet.text([18.0, 207.0], Style::bold(11.0).ink(STRONG), "回答書")?;
    let reference = format!("お問い合わせ番号 {}", head.reference);
    sheet.text([192.0, 207.0], Style::label(9.0).align(Align::Right), &reference)?;
    let answers = [
        "住所の変更は、当社が届け出たものです。",
        "住所の変更に心当たりがありません。手続きを止めてください。",
    ];
    for (row, answer) in (0_u8..).zip(answers) {
        let y = 213.0 + f32::from(row) * 8.5;
        sheet.frame(BoxMm::new(18.0, y, BOX_MM, BOX_MM), 0.4, BLACK);
        sheet.text([26.0, y + BOX_MM / 2.0], Style::label(10.0), answer)?;
    }
    for (row, label) in (0_u8..).zip(["ご記入日", "会社名", "代表者名", "電話番号"])
    {
        let y = 236.0 + f32::from(row) * 9.0;
        sheet.text([18.0, y], Style::label(8.5), label)?;
        sheet.line([38.0, y + 3.2], [140.0, y + 3.2], 0.2, GREY);
    }
    let seal = BoxMm::new(152.0, 232.0, 40.0, 36.0);
    sheet.frame(seal, 0.4, BLACK);
    sheet.text([172.0, 229.0], Style::label(8.5).align(Align::Centre), "お届け印")?;
    let back = head.house.reply_address.join(" ");
    sheet.text([18.0, 273.5], Style::label(8.0), &format!("返送先 {back}"))?;
    Ok(())
}
