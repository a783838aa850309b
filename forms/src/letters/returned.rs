//! 書類ご返却のご案内: what is wrong with a form, shown on a picture of it, and a fresh one behind.

use super::composition::{Composition, LEFT, RIGHT};
use super::wording::{NEVER_ASKED, Wording, common_facts, of_user};
use super::{Day, LetterHead, ReturnReason};
use crate::document::{Imprint, Paper};
use crate::envelope::STRONG;
use crate::fault::PrintFault;
use crate::fonts::Typesetter;
use crate::form3::{BoxMm, PAGE_MM, layout};
use crate::picture::PagePicture;
use crate::press::{Copy, Job, Press, Run, Sheets};
use crate::sheet::{Align, GREY, Ink, Sheet, Style, WHITE};

/// One defect.
#[derive(Clone, Debug, PartialEq)]
pub struct ReturnItem {
    /// What it is.
    pub reason: ReturnReason,
    /// The user's row that it is about; none for the whole form.
    pub row: Option<u8>,
    /// More places, as a clerk marked them: page and box.
    pub marked: Vec<(u8, BoxMm)>,
    /// What the clerk adds, or empty.
    pub remark: String,
}

impl ReturnItem {
    /// A defect of the whole form with nothing to add.
    pub fn of(reason: ReturnReason) -> Self {
        Self { reason, row: None, marked: Vec::new(), remark: String::new() }
    }
}

/// The form that goes with the letter, filled in with what the bank knows.
#[derive(Clone, Copy)]
pub struct FreshForm<'a> {
    /// How it is printed.
    pub job: &'a Job<'a>,
    /// Its number and values.
    pub copy: &'a Copy,
}

/// What the letter says.
#[derive(Clone, Copy)]
pub struct DefectLetter<'a> {
    /// The receipt number of the envelope, or empty.
    pub receipt: &'a str,
    /// What is wrong; at least one.
    pub items: &'a [ReturnItem],
    /// The last day for the corrected form.
    pub reply_by: &'a Day,
    /// The pages as they came, upright, their seals covered.
    pub pictures: &'a [PagePicture],
    /// The fresh form.
    pub form: Option<FreshForm<'a>>,
}

/// Rings stand out on a scan in any colour.
const RING: Ink = Ink(196, 22, 42);
const RING_MM: f32 = 0.9;
/// The picture of a page, smaller than life.
const SHOWN: f32 = 0.8;
const SHOWN_LEFT: f32 = (PAGE_MM[0] - PAGE_MM[0] * SHOWN) / 2.0;
const SHOWN_TOP: f32 = 34.0;

impl Press {
    /// The letter as a PDF, the fresh form as its last pages.
    ///
    /// A page on which a password was written is never shown: nobody told where it stands.
    ///
    /// # Errors
    /// Names the character that no font has, or what does not fit.
    pub fn defect_letter(
        &self,
        head: &LetterHead<'_>,
        letter: &DefectLetter<'_>,
    ) -> Result<Vec<u8>, PrintFault> {
        if letter.items.is_empty() {
            return Err(PrintFault::Nothing);
        }
        let setter = Typesetter::new(self.fonts())?;
        let wording = wording(head, letter);
        let mut composition = Composition::begin(&setter, head, &wording)?;
        composition.body(&wording)?;
        for (number, item) in (1..).zip(letter.items) {
            explain(&mut composition, number, item, head.english)?;
        }
        composition.space(1.5);
        composition.item(NEVER_ASKED)?;
        composition.english(&wording)?;
        let secret = letter.items.iter().any(|item| item.reason == ReturnReason::SecretWritten);
        let shown = if secret { &[] } else { letter.pictures };
        for picture in shown {
            show(&mut composition, picture, letter.items)?;
        }
        let mut paper = Paper::new(&setter);
        for sheet in composition.finish()? {
            paper.page(None, sheet);
        }
        let imprint =
            Imprint { title: wording.title, author: &head.house.bank, made_at: head.made_at };
        match letter.form {
            None => paper.draft(&imprint)?.finish(),
            Some(FreshForm { job, copy }) => {
                let mut run = Run::new(job, paper)?;
                run.copy(copy, Sheets::All)?;
                run.draft_as(&imprint)?.finish()
            }
        }
    }
}

fn wording<'a>(head: &LetterHead<'_>, letter: &DefectLetter<'_>) -> Wording<'a> {
    let mut facts = common_facts(head);
    if !letter.receipt.is_empty() {
        facts.insert(0, ("受付番号", letter.receipt.to_owned()));
    }
    facts.push(("再提出の期限", letter.reply_by.japanese.clone()));
    let enclosed = if letter.form.is_some() {
        "同封の新しい書式には、登録の内容が記入してあります。お届け印を押し、"
    } else {
        "新しい書式にご記入のうえ、"
    };
    let english = if letter.form.is_some() {
        "The enclosed form is filled in with what we have on record"
    } else {
        "Please complete a new form"
    };
    Wording {
        title: "書類ご返却のご案内",
        paragraphs: vec![format!(
            "さて、お送りいただきました{}届出書([書式3] パスワードに関する諸届)に、次の不備がありましたので、お手続きを進めることができませんでした。{enclosed}{}までにお送りください。",
            of_user(head),
            letter.reply_by.japanese
        )],
        facts,
        notes: Vec::new(),
        english_title: "Your form is returned",
        english: vec![format!(
            "The form (Form 3, reference {}) has the defects listed above. {english}; put the \
             registered seal on it and send it by {}. We never ask for passwords or certificate \
             renewal by phone or e-mail.",
            head.reference, letter.reply_by.english
        )],
    }
}

/// A numbered defect with how to mend it.
fn explain(
    composition: &mut Composition<'_, '_>,
    number: usize,
    item: &ReturnItem,
    english: bool,
) -> Result<(), PrintFault> {
    let words = item.reason.words();
    composition.space(0.8);
    composition.room_for(if english { 24.0 } else { 16.0 })?;
    let y = composition.y() + 3.2;
    numbered(composition.sheet_mut(), [LEFT + 2.6, y], number)?;
    let row = item.row.map(|row| format!("{row}人目の利用者: ")).unwrap_or_default();
    composition.paragraph(Style::bold(10.0), LEFT + 8.0, &format!("{row}{}", words.what))?;
    let body = Style::label(9.0);
    composition.paragraph(body, LEFT + 8.0, &format!("直し方: {}", words.how))?;
    if !item.remark.is_empty() {
        composition.paragraph(body, LEFT + 8.0, &format!("補足: {}", item.remark))?;
    }
    if english {
        composition.paragraph(Style::label(8.0).ink(GREY), LEFT + 8.0, words.english)?;
    }
    Ok(())
}

/// The number that joins a defect in the list to its ring on the picture.
fn numbered(sheet: &mut Sheet<'_>, at: [f32; 2], number: usize) -> Result<(), PrintFault> {
    sheet.disc(at, 2.8, RING);
    let style = Style::bold(8.5).ink(WHITE).align(Align::Centre);
    sheet.text(at, style, &number.to_string())?;
    Ok(())
}

/// A sheet with the page as it came, and rings around what is wrong.
fn show(
    composition: &mut Composition<'_, '_>,
    picture: &PagePicture,
    items: &[ReturnItem],
) -> Result<(), PrintFault> {
    composition.turn()?;
    composition.full();
    let sheet = composition.sheet_mut();
    let caption = format!("お送りいただいた届出書 ({}ページ目)", picture.page);
    sheet.text([LEFT, 29.0], Style::bold(9.5), &caption)?;
    let hint = Style::label(7.5).ink(GREY).align(Align::Right);
    sheet.text([RIGHT, 29.0], hint, "丸の番号は、不備の番号です。印影は表示していません。")?;
    let [width, height] = PAGE_MM.map(|side| side * SHOWN);
    let area = BoxMm::new(SHOWN_LEFT, SHOWN_TOP, width, height);
    sheet.picture(area, picture);
    sheet.frame(area, 0.3, STRONG);
    let page = layout(picture.version, picture.variant).page(picture.page);
    let mut taken: Vec<[f32; 2]> = Vec::new();
    for (number, item) in (1..).zip(items) {
        let printed = page.map(|page| item.reason.places(page, item.row)).unwrap_or_default();
        let marked = item.marked.iter().filter(|(on, _)| *on == picture.page).map(|(_, at)| *at);
        for place in printed.into_iter().chain(marked) {
            let ring = scaled(place).grown(1.2);
            sheet.ring(ring, RING_MM, RING);
            let mut at = [ring.x, ring.y];
            // Two defects of one field would hide each other's numbers.
            while taken.iter().any(|other| (other[0] - at[0]).hypot(other[1] - at[1]) < 6.0) {
                at[0] += 6.2;
            }
            taken.push(at);
            numbered(sheet, at, number)?;
        }
    }
    Ok(())
}

fn scaled(area: BoxMm) -> BoxMm {
    BoxMm::new(
        SHOWN_LEFT + area.x * SHOWN,
        SHOWN_TOP + area.y * SHOWN,
        area.w * SHOWN,
        area.h * SHOWN,
    )
}
