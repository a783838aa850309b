//! The sheet of its own that goes with the form: where to send it, and how to fill it in.

use super::{FRAME_INK, palette};
use crate::data::House;
use crate::fault::PrintFault;
use crate::form3::{BoxMm, Variant};
use crate::sheet::{Align, BLACK, GREY, Sheet, Style, WHITE};

type Drawn = Result<(), PrintFault>;

/// Where A4 is folded in three, from the top edge.
pub(crate) const FOLDS_MM: [f32; 2] = [99.0, 198.0];

/// Inside this area everything shows through the window (at least 45 × 80 mm) of a 120 × 235 mm
/// envelope, however the sheet slides in it.
pub(crate) const WINDOW: BoxMm = BoxMm::new(24.0, 22.0, 78.0, 40.0);

/// Short lines at both edges where the sheet is folded.
pub(crate) fn draw_folds(sheet: &mut Sheet<'_>) {
    for y in FOLDS_MM {
        sheet.line([8.0, y], [13.0, y], 0.2, GREY);
        sheet.line([197.0, y], [202.0, y], 0.2, GREY);
    }
}

/// Draws the sheet for one variant.
pub(crate) fn draw_instructions(sheet: &mut Sheet<'_>, house: &House, variant: Variant) -> Drawn {
    draw_folds(sheet);
    address(sheet, house)?;
    steps(sheet, house, variant)?;
    choices(sheet, variant)?;
    warnings(sheet, house, variant)
}

fn address(sheet: &mut Sheet<'_>, house: &House) -> Drawn {
    let mut y = WINDOW.y + 4.0;
    for (row, line) in house.reply_address.iter().enumerate() {
        let points = if row >= 2 { 13.0 } else { 10.5 };
        sheet.text([WINDOW.x + 3.0, y], Style::value(points), line)?;
        y += if row >= 1 { 8.0 } else { 6.5 };
    }
    if !house.reply_permit.is_empty() {
        permit(sheet, house)?;
    }
    let hint =
        "この面を表にして三つ折りにし、窓付き封筒(120×235mm)に入れると、宛先が窓から見えます。";
    sheet.text([14.0, 90.0], Style::label(7.0).ink(GREY), hint)?;
    Ok(())
}

/// Beside the address, where the stamp would be: who pays, under which permit, until when.
fn permit(sheet: &mut Sheet<'_>, house: &House) -> Drawn {
    let area = BoxMm::new(WINDOW.right() + 6.0, WINDOW.y, 26.0, 26.0);
    sheet.frame(area, 0.4, BLACK);
    let until = format!("差出有効期間 {} まで", house.reply_permit_until);
    let lines = [
        (9.0, "料金受取人払郵便"),
        (7.5, house.reply_permit.as_str()),
        (5.5, until.as_str()),
        (7.5, "切手不要"),
    ];
    let mut y = area.y + 4.0;
    for (points, line) in lines {
        let centre = [area.x + area.w / 2.0, y];
        sheet.text(centre, Style::label(points * 0.8).ink(BLACK).align(Align::Centre), line)?;
        y += 6.0;
    }
    Ok(())
}

fn steps(sheet: &mut Sheet<'_>, house: &House, variant: Variant) -> Drawn {
    let colours = palette(variant);
    let service = house.service(variant);
    let title = format!("[書式3] パスワードに関する諸届 ご記入の手引き({service})");
    sheet.fill(BoxMm::new(14.0, 106.0, 182.0, 10.0), colours.strong);
    sheet.text([18.0, 111.0], Style::bold(12.0).ink(WHITE), &title)?;
    let rows: [(&str, &str); 6] = [
        ("お届け人", "ご住所・会社名・代表者名を、銀行にお届けのとおりにご記入ください。"),
        (
            "お届け印",
            "代表口座のお届け印を枠の中央に、朱肉で鮮明に押してください。枠には何も書かないでください。",
        ),
        ("ご契約", "契約者番号・店番・口座番号は左づめで、枠内に1字ずつご記入ください。"),
        (
            "利用者",
            "利用者ID・氏名・部署名をご記入ください。利用者IDが不明の場合は「照会」に印を付けてください。",
        ),
        (
            "ご依頼",
            "該当する枠に印を付けてください。証明書取得用パスワードの再発行では、理由にも印を付けてください。",
        ),
        ("送付", "原本をお送りください。コピー・ファクスは受け付けられません。"),
    ];
    let mut y = 124.0;
    for (number, (head, text)) in (1..).zip(rows) {
        let circle = [18.5, y];
        sheet.disc(circle, 2.6, colours.strong);
        let inside = Style::bold(8.0).ink(WHITE).align(Align::Centre);
        sheet.text(circle, inside, &format!("{number}"))?;
        sheet.text([24.0, y], Style::bold(9.0), head)?;
        sheet.text([44.0, y], Style::label(8.0), text)?;
        sheet.line([14.0, y + 4.6], [196.0, y + 4.6], 0.15, colours.rule);
        y += 9.2;
    }
    Ok(())
}

fn choices(sheet: &mut Sheet<'_>, variant: Variant) -> Drawn {
    let colours = palette(variant);
    let mut y = 182.0;
    sheet.text([14.0, y], Style::bold(9.5).ink(colours.strong), "お送りいただく前に")?;
    let lines = [
        "社内に再発行の権限をお持ちの方がいる場合は、画面からの再発行が最も早くお手続きいただけます。",
        "書面でお一人の手続きが済めば、ほかの方の分は画面から再発行できます。",
    ];
    for line in lines {
        y += 5.4;
        sheet.disc([16.0, y], 0.7, colours.strong);
        sheet.text([19.0, y], Style::label(8.0), line)?;
    }
    Ok(())
}

fn warnings(sheet: &mut Sheet<'_>, house: &House, variant: Variant) -> Drawn {
    let colours = palette(variant);
    let area = BoxMm::new(14.0, 206.0, 182.0, 40.0);
    sheet.fill(area, colours.tint);
    sheet.frame(area, 0.3, FRAME_INK);
    let head = "電子証明書が意図せず消えたとき・更新を電話やメールで求められたとき";
    sheet.text([19.0, 212.5], Style::bold(9.5).ink(colours.strong), head)?;
    let phone =
        format!("操作を中止し、{} {} へご自身でおかけください。", house.bank, house.telephone);
    let lines: [&str; 4] = [
        "不正の可能性があります。この書式はお送りにならず、先にお電話ください。",
        &phone,
        "当行が電話やメールで、パスワードをお尋ねしたり更新を求めたりすることはありません。",
        "この書式のどの欄にも、パスワードは記入しないでください。記入された場合は無効にします。",
    ];
    sheet.lines([19.0, 220.0], 6.4, Style::label(8.5), &lines)?;
    let after = Style::label(8.0).ink(GREY);
    let last = [
        "お手続きが済みましたら、証明書取得用パスワードを親展の簡易書留(転送不要)で、お届けのご住所へお送りします。",
        "不備がある場合は、不備の箇所を示した書面と新しい書式をお送りします。",
    ];
    sheet.lines([14.0, 254.0], 5.4, after, &last)?;
    let foot = format!("{}  {}", house.bank, house.service(variant));
    sheet.text([105.0, 284.0], Style::label(7.5).ink(BLACK).align(Align::Centre), &foot)?;
    Ok(())
}
