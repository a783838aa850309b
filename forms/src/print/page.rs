//! What every copy of a page has in common: title, labels, frames, corner marks.

use super::{FRAME_INK, FRAME_MM, Palette, palette};
use crate::data::House;
use crate::fault::PrintFault;
use crate::form3::{
    BoxMm, FIRST_USERS_Y, Layout, PageLayout, RING_MARK, SECOND_USERS_Y, USER_PITCH,
    USERS_ON_FIRST_PAGE, Variant,
};
use crate::sheet::{Align, BLACK, GREY, Ink, Sheet, Style, WHITE};

type Drawn = Result<(), PrintFault>;

const LEFT: f32 = 14.0;
const RIGHT: f32 = 196.0;
/// The weight of thin and of outer lines of tables.
const THIN: f32 = 0.15;
const OUTER: f32 = 0.35;

const LABEL: f32 = 7.5;
const SMALL: f32 = 6.5;

/// Requests for one password: left edge, heading, and the ticks' labels with their left edges.
type RequestGroup = (f32, &'static str, &'static [(f32, &'static str)]);

/// A page of a table: knows its colours and where to draw.
struct Drawing<'s, 'a> {
    sheet: &'s mut Sheet<'a>,
    colours: Palette,
}

/// Draws the part of a page that does not depend on the submission.
pub(crate) fn draw_page(
    sheet: &mut Sheet<'_>,
    house: &House,
    layout: &Layout,
    page: &PageLayout,
) -> Drawn {
    let mut drawing = Drawing { colours: palette(layout.variant), sheet };
    drawing.header(house, layout, page)?;
    if page.page == 1 {
        drawing.applicant()?;
        drawing.contract()?;
        drawing.users(FIRST_USERS_Y, 1..=USERS_ON_FIRST_PAGE)?;
    } else {
        drawing.continuation()?;
        drawing.users(SECOND_USERS_Y, USERS_ON_FIRST_PAGE + 1..=layout.variant.user_rows())?;
    }
    drawing.bank_strip()?;
    drawing.footer(house, layout, page)?;
    drawing.frames(page);
    drawing.marks(page);
    Ok(())
}

/// The title in the band.
fn title(variant: Variant) -> &'static str {
    match variant {
        Variant::BizStation => "[書式3] パスワードに関する諸届",
        Variant::Light => "[Light 書式3] パスワードに関する諸届",
    }
}

impl Drawing<'_, '_> {
    fn header(&mut self, house: &House, layout: &Layout, page: &PageLayout) -> Drawn {
        let service = house.service(layout.variant);
        let line = format!("{}  {service}", house.bank);
        self.sheet.text([18.0, 12.0], Style::label(8.0).ink(GREY), &line)?;
        let band = BoxMm::new(LEFT, 17.0, 144.0, 11.0);
        self.sheet.fill(band, self.colours.strong);
        let white = Style::bold(15.0).ink(WHITE);
        self.sheet.text([LEFT + 4.0, 22.5], white, title(layout.variant))?;
        let service_style = Style::bold(9.0).ink(WHITE).align(Align::Right);
        self.sheet.text([band.right() - 4.0, 22.5], service_style, &format!("{service} 用"))?;
        let addressee = format!("{} 御中", house.bank);
        if page.page > 1 {
            self.sheet.text([LEFT, 34.5], Style::bold(11.0), &addressee)?;
            let note = "利用者3人目から5人目の届出です。1枚目とあわせてお送りください。";
            self.sheet.text([LEFT, 41.0], Style::label(8.0), note)?;
            return Ok(());
        }
        self.sheet.text([LEFT, 34.5], Style::bold(11.0), &addressee)?;
        self.sheet.text([LEFT, 40.5], Style::label(8.0), "次のとおり届け出ます。")?;
        self.date_row()
    }

    fn date_row(&mut self) -> Drawn {
        let y = 37.5;
        self.sheet.text([70.0, y], Style::bold(LABEL).ink(self.colours.strong), "届出日")?;
        let style = Style::label(9.0).align(Align::Centre);
        for (x, text) in [(87.5, "令和"), (112.0, "年"), (134.0, "月"), (156.0, "日")] {
            self.sheet.text([x, y], style, text)?;
        }
        Ok(())
    }

    fn heading(&mut self, y: f32, number: &str, text: &str, hint: &str) -> Drawn {
        let style = Style::bold(9.0).ink(self.colours.strong);
        let dot = BoxMm::new(LEFT, y - 1.9, 1.2, 3.8);
        self.sheet.fill(dot, self.colours.strong);
        let width = self.sheet.text([LEFT + 2.6, y], style, &format!("{number} {text}"))?;
        self.sheet.text([LEFT + 5.6 + width, y], Style::label(SMALL).ink(GREY), hint)?;
        Ok(())
    }

    fn label(&mut self, area: BoxMm, text: &str) -> Drawn {
        self.sheet.fill(area, self.colours.tint);
        let [x, y] = area.centre();
        let style = Style::label(LABEL).align(Align::Centre);
        self.sheet.text([x, y], style, text)?;
        Ok(())
    }

    fn rules(&mut self, lines: &[([f32; 2], [f32; 2])]) {
        for (from, to) in lines {
            self.sheet.line(*from, *to, THIN, self.colours.rule);
        }
    }

    fn outline(&mut self, area: BoxMm) {
        self.sheet.frame(area, OUTER, FRAME_INK);
    }

    fn applicant(&mut self) -> Drawn {
        self.heading(
            47.4,
            "1",
            "お届け人",
            "ご契約の法人名・代表者名は銀行にお届けのとおりにご記入ください。",
        )?;
        let (top, height) = (50.5, 12.0);
        let labels = ["ご住所", "フリガナ", "会社名", "代表者"];
        for (row, text) in (0_u8..).zip(labels) {
            let y = top + f32::from(row) * height;
            self.label(BoxMm::new(LEFT, y, 24.0, height), text)?;
        }
        self.label(BoxMm::new(79.0, top + 36.0, 14.0, height), "氏名")?;
        let hint = Style::label(5.5).ink(GREY);
        self.sheet.text([39.0, top + 38.0], hint, "肩書")?;
        for row in 1..4_u8 {
            let y = top + f32::from(row) * height;
            self.rules(&[([LEFT, y], [150.0, y])]);
        }
        self.outline(BoxMm::new(LEFT, top, 136.0, 48.0));
        self.outline(BoxMm::new(152.0, top, 44.0, 48.0));
        let caption = Style::bold(LABEL).ink(self.colours.strong).align(Align::Centre);
        self.sheet.text([174.0, 52.7], caption, "お届け印")?;
        Ok(())
    }

    fn contract(&mut self) -> Drawn {
        self.heading(
            102.4,
            "2",
            "ご契約とご連絡先",
            "数字は枠内に1字ずつ、左づめでご記入ください。",
        )?;
        let (first, second, third) = (105.5, 118.5, 131.5);
        for (y, text) in [(first, "契約者番号"), (second, "口座番号"), (third, "日中の電話番号")]
        {
            self.label(BoxMm::new(LEFT, y, 24.0, 13.0), text)?;
        }
        self.label(BoxMm::new(112.0, first, 12.0, 13.0), "店番")?;
        self.label(BoxMm::new(149.0, first, 10.0, 13.0), "科目")?;
        self.label(BoxMm::new(91.0, second, 24.0, 13.0), "ご担当者名")?;
        self.sheet.text([168.5, first + 6.5], Style::label(LABEL), "普通")?;
        self.sheet.text([185.5, first + 6.5], Style::label(LABEL), "当座")?;
        let lines = ["オンラインで再発行の操作ができる", "権限者がいません(該当する場合のみ)"];
        self.sheet.lines([129.5, third + 4.7], 3.7, Style::label(LABEL - 0.5), &lines)?;
        for y in [second, third] {
            self.rules(&[([LEFT, y], [RIGHT, y])]);
        }
        self.rules(&[([119.0, third], [119.0, third + 13.0])]);
        self.outline(BoxMm::new(LEFT, first, RIGHT - LEFT, 39.0));
        Ok(())
    }

    /// On page 2: whose pages belong together.
    fn continuation(&mut self) -> Drawn {
        self.heading(47.4, "1", "ご契約", "1枚目と同じ内容をご記入ください。")?;
        self.label(BoxMm::new(LEFT, 50.5, 24.0, 13.0), "契約者番号")?;
        self.label(BoxMm::new(112.0, 50.5, 16.0, 13.0), "会社名")?;
        self.outline(BoxMm::new(LEFT, 50.5, RIGHT - LEFT, 13.0));
        let notes = [
            "3人目以降のお届けがない場合、この用紙をお送りいただく必要はありません。",
            "6人以上のお届けは、この書式をもう1部ご用意ください。",
        ];
        self.sheet.lines([LEFT, 218.0], 5.0, Style::label(LABEL).ink(GREY), &notes)
    }

    fn users(&mut self, top: f32, numbers: std::ops::RangeInclusive<usize>) -> Drawn {
        let hint =
            "依頼内容は該当する枠に印を付けてください。パスワードは絶対に記入しないでください。";
        let section = if top < 100.0 { "2" } else { "3" };
        self.heading(top - 3.1, section, "届出の内容", hint)?;
        let mut y = top;
        for number in numbers {
            self.user(y, number)?;
            y += USER_PITCH;
        }
        Ok(())
    }

    fn user(&mut self, y: f32, number: usize) -> Drawn {
        self.sheet.fill(BoxMm::new(LEFT, y, 6.0, 45.0), self.colours.strong);
        let badge = Style::bold(11.0).ink(WHITE).align(Align::Centre);
        self.sheet.text([LEFT + 3.0, y + 22.5], badge, &number.to_string())?;
        let left = LEFT + 6.0;
        self.label(BoxMm::new(left, y, 22.0, 13.0), "利用者ID")?;
        self.label(BoxMm::new(109.0, y, 16.0, 13.0), "部署名")?;
        self.label(BoxMm::new(left, y + 13.0, 22.0, 10.0), "フリガナ")?;
        self.label(BoxMm::new(109.0, y + 13.0, 16.0, 10.0), "氏名")?;
        self.label(BoxMm::new(left, y + 23.0, 22.0, 13.0), "ご依頼の内容")?;
        self.label(BoxMm::new(left, y + 36.0, 22.0, 9.0), "再発行の理由")?;
        self.requests(y + 23.0)?;
        self.reasons(y + 40.5)?;
        for dy in [13.0, 23.0, 36.0] {
            self.rules(&[([left, y + dy], [RIGHT, y + dy])]);
        }
        self.outline(BoxMm::new(LEFT, y, RIGHT - LEFT, 45.0));
        Ok(())
    }

    fn requests(&mut self, y: f32) -> Drawn {
        let head = Style::bold(SMALL).ink(self.colours.strong);
        let groups: [RequestGroup; 4] = [
            (42.0, "証明書取得用パスワード", &[(52.0, "再発行"), (70.0, "ロック解除")]),
            (85.0, "ログインパスワード", &[(95.0, "再登録"), (113.0, "ロック解除")]),
            (128.0, "取引実行パスワード", &[(138.0, "再登録"), (156.0, "ロック解除")]),
            (171.0, "利用者ID", &[(181.0, "照会")]),
        ];
        for (x, heading, ticks) in groups {
            self.sheet.text([x + 3.0, y + 2.6], head, heading)?;
            for (tick, text) in ticks {
                self.sheet.text([*tick, y + 8.5], Style::label(LABEL), text)?;
            }
            if x > 42.0 {
                self.rules(&[([x, y], [x, y + 13.0])]);
            }
        }
        Ok(())
    }

    fn reasons(&mut self, y: f32) -> Drawn {
        for (x, text) in [
            (52.0, "有効期限切れ"),
            (79.0, "パソコンの入替"),
            (108.5, "紛失・盗難"),
            (133.0, "入力誤り"),
            (154.5, "お忘れ"),
            (173.5, "意図せず消失"),
        ] {
            self.sheet.text([x, y], Style::label(LABEL), text)?;
        }
        Ok(())
    }

    fn bank_strip(&mut self) -> Drawn {
        let (top, left) = (247.5, 38.0);
        let grey = Ink(240, 241, 243);
        self.sheet.fill(BoxMm::new(left, top, 8.0, 30.0), grey);
        let style = Style::label(LABEL).align(Align::Centre).ink(GREY);
        for (row, character) in (0_u8..).zip(["銀", "行", "使", "用", "欄"]) {
            let y = top + 5.8 + f32::from(row) * 4.6;
            self.sheet.text([left + 4.0, y], style, character)?;
        }
        for (x, width, y, text) in [
            (46.0, 46.0, top, "受付番号"),
            (46.0, 46.0, top + 15.0, "不備コード"),
            (92.0, 34.0, top, "受付"),
            (126.0, 35.0, top, "照合"),
            (161.0, 35.0, top, "検印"),
        ] {
            self.sheet.fill(BoxMm::new(x, y, width, 5.0), grey);
            let centre = [x + width / 2.0, y + 2.5];
            self.sheet.text(centre, Style::label(SMALL).align(Align::Centre).ink(GREY), text)?;
        }
        for x in [46.0, 92.0, 126.0, 161.0] {
            self.rules(&[([x, top], [x, top + 30.0])]);
        }
        self.rules(&[([46.0, top + 15.0], [92.0, top + 15.0])]);
        self.rules(&[([46.0, top + 5.0], [RIGHT, top + 5.0])]);
        self.rules(&[([46.0, top + 20.0], [92.0, top + 20.0])]);
        self.outline(BoxMm::new(left, top, RIGHT - left, 30.0));
        Ok(())
    }

    fn footer(&mut self, house: &House, layout: &Layout, page: &PageLayout) -> Drawn {
        let first = "訂正は二重線で消し、お届け印を押してください(利用者IDとお届け印の枠内は訂正できません)。消せるペン・修正液は使えません。";
        let second = format!("ご不明な点: {} {}", house.bank, house.telephone);
        let grey = Style::label(SMALL).ink(GREY);
        self.sheet.text([38.0, 281.5], grey, first)?;
        self.sheet.text([38.0, 285.5], grey, &second)?;
        let version = layout.version.number();
        let right = format!("書式3 第{version}版  {}/{}", page.page, layout.pages.len());
        self.sheet.text([RIGHT - 3.0, 285.5], grey.align(Align::Right), &right)?;
        Ok(())
    }

    fn frames(&mut self, page: &PageLayout) {
        let boxes = page.checkboxes.iter().map(|field| field.area);
        let cells = page.digits.iter().flat_map(|field| field.cells.iter().copied());
        for area in boxes.chain(cells) {
            self.sheet.field_frame(area, FRAME_MM, FRAME_INK);
        }
        for seal in &page.seals {
            self.sheet.field_frame(seal.area, FRAME_MM, FRAME_INK);
        }
    }

    fn marks(&mut self, page: &PageLayout) {
        for (index, [x, y, size]) in page.marks.into_iter().enumerate() {
            let square = BoxMm::new(x - size / 2.0, y - size / 2.0, size, size);
            if index == RING_MARK {
                self.sheet.field_frame(square.grown(-0.6), 1.2, BLACK);
            } else {
                self.sheet.fill_all(std::iter::once(square), BLACK);
            }
        }
    }
}
