//! A letter being set: lines from the top down, a new sheet when one is full, feet at the end.

use super::{LetterHead, Wording};
use crate::envelope::{STRONG, TINT, draw_marks, draw_panel, draw_sender};
use crate::fault::PrintFault;
use crate::flow::wrap;
use crate::fonts::Typesetter;
use crate::form3::BoxMm;
use crate::print::{draw_folds, draw_specimen};
use crate::sheet::{Align, BLACK, GREY, MM_PER_POINT, Sheet, Style, WHITE};

type Drawn = Result<(), PrintFault>;

/// The column of the text.
pub(super) const LEFT: f32 = 18.0;
pub(super) const RIGHT: f32 = 192.0;
/// Where text begins on the first sheet, below the fold and the title, and on those that follow.
const FIRST_TOP: f32 = 123.0;
const NEXT_TOP: f32 = 30.0;
/// Where it ends.
const BOTTOM: f32 = 273.0;
const TEXT_POINTS: f32 = 9.5;
const ENGLISH_POINTS: f32 = 8.5;
/// From line to line, in ems.
const LEADING_EM: f32 = 1.75;

/// A letter under way.
pub(super) struct Composition<'a, 'h> {
    setter: &'a Typesetter<'a>,
    head: &'h LetterHead<'h>,
    title: &'h str,
    sheets: Vec<Sheet<'a>>,
    current: Sheet<'a>,
    /// The middle of the next line would lie half a line below this.
    y: f32,
}

impl<'a, 'h> Composition<'a, 'h> {
    /// The first sheet with everything above its text.
    pub(super) fn begin(
        setter: &'a Typesetter<'a>,
        head: &'h LetterHead<'h>,
        wording: &Wording<'h>,
    ) -> Result<Self, PrintFault> {
        let mut sheet = Sheet::new(setter);
        draw_folds(&mut sheet);
        draw_panel(&mut sheet, head.addressee)?;
        draw_marks(&mut sheet, &["親展"])?;
        draw_sender(&mut sheet, head.house)?;
        let right = Style::label(9.0).align(Align::Right);
        sheet.text([RIGHT, 74.0], right, &head.written_on.japanese)?;
        if head.english {
            sheet.text([RIGHT, 79.5], right.ink(GREY), &head.written_on.english)?;
        }
        sheet.fill(BoxMm::new(14.0, 106.0, 182.0, 10.0), STRONG);
        sheet.text([18.0, 111.0], Style::bold(13.0).ink(WHITE), wording.title)?;
        if head.house.specimen {
            draw_specimen(&mut sheet)?;
        }
        Ok(Self {
            setter,
            head,
            title: wording.title,
            sheets: Vec::new(),
            current: sheet,
            y: FIRST_TOP,
        })
    }

    /// Greeting, paragraphs, 記 with its facts, 以上, and what the house always warns of.
    pub(super) fn body(&mut self, wording: &Wording<'_>) -> Drawn {
        let style = Style::label(TEXT_POINTS);
        self.paragraph(style, LEFT, "拝啓 平素は格別のお引き立てを賜り、厚くお礼申し上げます。")?;
        for paragraph in &wording.paragraphs {
            self.paragraph(style, LEFT, paragraph)?;
        }
        self.aside(Align::Right, "敬具")?;
        if !wording.facts.is_empty() {
            self.aside(Align::Centre, "記")?;
            self.space(1.0);
            self.facts(&wording.facts)?;
            self.aside(Align::Right, "以上")?;
        }
        for note in &wording.notes {
            self.item(note)?;
        }
        Ok(())
    }

    /// The same in English, when it is asked for.
    pub(super) fn english(&mut self, wording: &Wording<'_>) -> Drawn {
        if !self.head.english {
            return Ok(());
        }
        self.space(3.0);
        self.room_for(30.0)?;
        // The head of a sheet that was just begun has a line of its own.
        if self.y > NEXT_TOP {
            self.current.line([LEFT, self.y], [RIGHT, self.y], 0.2, GREY);
            self.space(2.0);
        }
        self.paragraph(Style::bold(10.0).ink(STRONG), LEFT, wording.english_title)?;
        for paragraph in &wording.english {
            self.paragraph(Style::label(ENGLISH_POINTS), LEFT, paragraph)?;
        }
        Ok(())
    }

    /// The sheet in hand, for what has a place of its own.
    pub(super) fn sheet_mut(&mut self) -> &mut Sheet<'a> {
        &mut self.current
    }

    /// Nothing more goes onto this sheet.
    pub(super) fn full(&mut self) {
        self.y = BOTTOM;
    }

    /// Goes down by so much.
    pub(super) fn space(&mut self, millimetres: f32) {
        self.y += millimetres;
    }

    /// Makes sure of so much room, on the next sheet if need be.
    pub(super) fn room_for(&mut self, millimetres: f32) -> Drawn {
        if self.y + millimetres > BOTTOM { self.turn() } else { Ok(()) }
    }

    /// Where the next line begins.
    pub(super) fn y(&self) -> f32 {
        self.y
    }

    /// Text from that column to the right margin.
    pub(super) fn paragraph(&mut self, style: Style, left: f32, text: &str) -> Drawn {
        let leading = style.points * MM_PER_POINT * LEADING_EM;
        for line in wrap(&self.current, style, text, RIGHT - left)? {
            self.room_for(leading)?;
            self.current.text([left, self.y + leading / 2.0], style, line)?;
            self.y += leading;
        }
        self.y += leading * 0.25;
        Ok(())
    }

    /// A point of a list.
    pub(super) fn item(&mut self, text: &str) -> Drawn {
        self.room_for(6.0)?;
        self.current.disc([LEFT + 1.5, self.y + 2.9], 0.7, STRONG);
        self.paragraph(Style::label(9.0), LEFT + 5.0, text)
    }

    fn aside(&mut self, align: Align, text: &str) -> Drawn {
        self.room_for(6.0)?;
        let x = if align == Align::Right { RIGHT } else { f32::midpoint(LEFT, RIGHT) };
        let style = Style::label(TEXT_POINTS).align(align);
        self.current.text([x, self.y + 2.9], style, text)?;
        self.y += 6.0;
        Ok(())
    }

    /// Two beside each other; one that is left alone takes the whole width.
    fn facts(&mut self, facts: &[(&str, String)]) -> Drawn {
        const ROW: f32 = 8.0;
        for pair in facts.chunks(2) {
            self.room_for(ROW)?;
            let width = (RIGHT - LEFT) / f32::from(if pair.len() == 2 { 2_u8 } else { 1 });
            for (column, (label, value)) in (0_u8..).zip(pair) {
                let left = LEFT + width * f32::from(column);
                self.fact(BoxMm::new(left, self.y, width, ROW), label, value)?;
            }
            self.y += ROW;
        }
        self.y += 2.0;
        Ok(())
    }

    fn fact(&mut self, area: BoxMm, label: &str, value: &str) -> Drawn {
        const LABEL: f32 = 30.0;
        self.current.fill(BoxMm::new(area.x, area.y, LABEL, area.h), TINT);
        let [_, middle] = area.centre();
        let style = Style::label(8.0).ink(GREY).align(Align::Centre);
        self.current.text([area.x + LABEL / 2.0, middle], style, label)?;
        self.current.text([area.x + LABEL + 3.0, middle], Style::label(10.0), value)?;
        self.current.frame(area, 0.15, GREY);
        Ok(())
    }

    /// A new sheet, which says what it belongs to.
    pub(super) fn turn(&mut self) -> Drawn {
        let mut sheet = Sheet::new(self.setter);
        sheet.text([LEFT, 20.0], Style::bold(9.5).ink(STRONG), self.title)?;
        let style = Style::label(8.0).ink(GREY).align(Align::Right);
        sheet.text([RIGHT, 20.0], style, &format!("お問い合わせ番号 {}", self.head.reference))?;
        sheet.line([LEFT, 24.0], [RIGHT, 24.0], 0.3, STRONG);
        if self.head.house.specimen {
            draw_specimen(&mut sheet)?;
        }
        self.sheets.push(std::mem::replace(&mut self.current, sheet));
        self.y = NEXT_TOP;
        Ok(())
    }

    /// The sheets, each with its foot: who writes, and which of how many pages this is.
    pub(super) fn finish(mut self) -> Result<Vec<Sheet<'a>>, PrintFault> {
        self.sheets.push(self.current);
        let count = self.sheets.len();
        let house = self.head.house;
        for (number, sheet) in (1..).zip(&mut self.sheets) {
            sheet.line([14.0, 279.0], [196.0, 279.0], 0.15, GREY);
            let left = format!("{}  ヘルプデスク {}", house.bank, house.telephone);
            sheet.text([14.0, 284.0], Style::label(8.0).ink(GREY), &left)?;
            let middle = Style::label(8.0).ink(BLACK).align(Align::Centre);
            sheet.text([105.0, 284.0], middle, &format!("{number} / {count}"))?;
            let right = Style::label(8.0).ink(GREY).align(Align::Right);
            sheet.text([196.0, 284.0], right, self.head.reference)?;
        }
        Ok(self.sheets)
    }
}
