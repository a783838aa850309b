//! Sealed letters, with a retrieval password or an enrolment code: made in memory, for a printer and
//! nothing else.
//!
//! The characters are drawn as shapes, never as text: no string of them exists in this process, and
//! nobody can select or search them in the file. What holds them is overwritten when it is dropped.

use std::fmt::Write as _;
use std::time::SystemTime;

use lopdf::{Object, ObjectId, Stream, dictionary};
use zeroize::{Zeroize, Zeroizing};

use crate::data::House;
use crate::document::{Draft, Imprint, Paper, failed};
use crate::envelope::{Addressee, STRONG, TINT, draw_marks, draw_panel, draw_sender};
use crate::fault::PrintFault;
use crate::fonts::{Fonts, Typesetter};
use crate::form3::{BoxMm, PAGE_MM};
use crate::press::Press;
use crate::print::{draw_folds, draw_specimen};
use crate::sheet::{Align, BLACK, GREY, Sheet, Style, WHITE};

type Drawn = Result<(), PrintFault>;

/// What a password letter says; dates and numbers as they are to be printed.
#[derive(Clone, Copy)]
pub struct PasswordLetter<'a> {
    /// Who writes.
    pub house: &'a House,
    /// To whom.
    pub addressee: &'a Addressee,
    /// The day of issue, 令和 and western.
    pub issued_on: &'a str,
    /// The last day on which the password can be used.
    pub valid_until: &'a str,
    /// The last four digits of the contract number.
    pub contract_last_four: &'a str,
    /// The user whose certificate it is.
    pub user_name: &'a str,
    /// A reference for questions: never the number of the contract or the user.
    pub reference: &'a str,
    /// After how many wrong entries the password is locked.
    pub wrong_entries: u8,
    /// The digits, each 0 to 9; none prints the specimen with ● and 見本.
    pub digits: Option<&'a [u8; 16]>,
    /// The moment that the file gives as its date.
    pub made_at: SystemTime,
}

/// What a letter with an enrolment code says; dates and numbers as they are to be printed.
#[derive(Clone, Copy)]
pub struct CodeLetter<'a> {
    /// Who writes.
    pub house: &'a House,
    /// To whom.
    pub addressee: &'a Addressee,
    /// The day of issue, 令和 and western.
    pub issued_on: &'a str,
    /// The last day on which the code can be used.
    pub valid_until: &'a str,
    /// The last four digits of the contract number.
    pub contract_last_four: &'a str,
    /// The user whose code it is.
    pub user_name: &'a str,
    /// A reference for questions: never the number of the contract or the user.
    pub reference: &'a str,
    /// After how many wrong entries the code is locked.
    pub wrong_entries: u8,
    /// The characters, in ASCII; none prints the specimen with ● and 見本.
    pub characters: Option<&'a [u8; 16]>,
    /// The moment that the file gives as its date.
    pub made_at: SystemTime,
}

/// What both letters have in common, and the words in which they differ.
struct Words<'a> {
    house: &'a House,
    addressee: &'a Addressee,
    title: &'a str,
    facts: [(&'a str, String); 4],
    caption: &'a str,
    below: [&'a str; 2],
    reference: &'a str,
    cautions: [String; 6],
    is_specimen: bool,
}

/// Where the digits stand: the middle third, inside when the letter is folded.
const DIGITS_TOP: f32 = 150.0;
const GROUP: [f32; 2] = [36.0, 17.0];
const GROUP_GAP: f32 = 6.0;
const DIGITS_LEFT: f32 = 24.0;
/// The height of an em of the digits.
const DIGIT_EM_MM: f32 = 10.0;
/// And of a code, whose letters are wider.
const CODE_EM_MM: f32 = 8.0;

impl Press {
    /// The letter as a PDF; the bytes are overwritten when dropped.
    ///
    /// # Errors
    /// Names the character that no font has.
    pub fn password_letter(
        &self,
        letter: &PasswordLetter<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, PrintFault> {
        let words = password_words(letter);
        let title = "証明書取得用パスワード再発行のお知らせ";
        let characters = letter.digits.map(|digits| Zeroizing::new(digits.map(|d| b'0' + d % 10)));
        let characters = characters.as_deref().map(|all| (all, DIGIT_EM_MM));
        self.secret_letter(&words, title, letter.made_at, characters)
    }

    /// The letter with an enrolment code as a PDF; the bytes are overwritten when dropped.
    ///
    /// # Errors
    /// Names the character that no font has.
    pub fn code_letter(&self, letter: &CodeLetter<'_>) -> Result<Zeroizing<Vec<u8>>, PrintFault> {
        let words = code_words(letter);
        let characters = letter.characters.map(|all| (all, CODE_EM_MM));
        self.secret_letter(&words, "登録コードのお知らせ", letter.made_at, characters)
    }

    fn secret_letter(
        &self,
        words: &Words<'_>,
        title: &str,
        made_at: SystemTime,
        characters: Option<(&[u8; 16], f32)>,
    ) -> Result<Zeroizing<Vec<u8>>, PrintFault> {
        let setter = Typesetter::new(self.fonts())?;
        let mut paper = Paper::new(&setter);
        let mut sheet = paper.sheet();
        draw_folds(&mut sheet);
        draw_panel(&mut sheet, words.addressee)?;
        draw_marks(&mut sheet, &["親展", "簡易書留", "転送不要"])?;
        draw_sender(&mut sheet, words.house)?;
        message(&mut sheet, words)?;
        cautions(&mut sheet, words)?;
        if words.is_specimen {
            draw_specimen(&mut sheet)?;
        }
        paper.page(None, sheet);
        let author = &words.house.bank;
        let mut draft = paper.draft(&Imprint { title, author, made_at })?;
        if let Some((characters, em)) = characters {
            return finish_secret(draft, characters, em);
        }
        draft.tidy();
        Ok(Zeroizing::new(draft.write(0)?))
    }
}

fn facts<'a>(issued: &str, last_four: &str, name: &str, until: &str) -> [(&'a str, String); 4] {
    [
        ("発行日", issued.to_owned()),
        ("契約者番号", format!("下4桁 {last_four}")),
        ("利用者名", format!("{name} 様")),
        ("有効期限", until.to_owned()),
    ]
}

fn password_words<'a>(letter: &PasswordLetter<'a>) -> Words<'a> {
    let phone = &letter.house.telephone;
    Words {
        house: letter.house,
        addressee: letter.addressee,
        title: "証明書取得用パスワード 再発行のお知らせ",
        facts: facts(
            letter.issued_on,
            letter.contract_last_four,
            letter.user_name,
            letter.valid_until,
        ),
        caption: "証明書取得用パスワード(16桁)",
        below: [
            "証明書発行の画面で、上の16桁を左から順にご入力ください(区切りの空白は入力不要です)。",
            "電子証明書を取得する画面は、契約者番号・利用者ID・ログインパスワードの入力後に開きます。",
        ],
        reference: letter.reference,
        cautions: [
            format!(
                "入力を{}回誤ると、このパスワードはロックされ使えなくなります。",
                letter.wrong_entries
            ),
            "このパスワードは1回限り有効です。有効期限を過ぎると使えません。".to_owned(),
            "この書面を第三者に見せないでください。撮影・複写・転記もお控えください。".to_owned(),
            "当行が電話やメールで、このパスワードをお尋ねすることはありません。".to_owned(),
            "電子証明書の取得が済みましたら、この書面は裁断して廃棄してください。".to_owned(),
            format!("届いた封筒に開封された跡がある場合は、取得せずに {phone} へお電話ください。"),
        ],
        is_specimen: letter.digits.is_none(),
    }
}

fn code_words<'a>(letter: &CodeLetter<'a>) -> Words<'a> {
    let phone = &letter.house.telephone;
    Words {
        house: letter.house,
        addressee: letter.addressee,
        title: "パスワード・カードの登録コードのお知らせ",
        facts: facts(
            letter.issued_on,
            letter.contract_last_four,
            letter.user_name,
            letter.valid_until,
        ),
        caption: "登録コード(16文字)",
        below: [
            "登録の画面で、契約者番号・利用者IDに続けて、上の16文字をご入力ください(空白は入力不要です)。",
            "続いて、ログインパスワード・取引実行パスワード・ワンタイムパスワードカードを登録できます。",
        ],
        reference: letter.reference,
        cautions: [
            format!(
                "入力を{}回誤ると、この登録コードはロックされ使えなくなります。",
                letter.wrong_entries
            ),
            "この登録コードは1回限り有効です。新しいコードを発行すると使えなくなります。".to_owned(),
            "この書面を第三者に見せないでください。撮影・複写・転記もお控えください。".to_owned(),
            "当行が電話やメールで、登録コードやパスワードをお尋ねすることはありません。".to_owned(),
            "数字の0と1、英字のOとIは使っていません。登録が済みましたら、この書面は裁断してください。"
                .to_owned(),
            format!("届いた封筒に開封された跡がある場合は、登録せずに {phone} へお電話ください。"),
        ],
        is_specimen: letter.characters.is_none(),
    }
}

fn message(sheet: &mut Sheet<'_>, letter: &Words<'_>) -> Drawn {
    sheet.fill(BoxMm::new(14.0, 106.0, 182.0, 10.0), STRONG);
    sheet.text([18.0, 111.0], Style::bold(13.0).ink(WHITE), letter.title)?;
    for (index, (label, value)) in (0_u8..).zip(&letter.facts) {
        let (column, row) = (f32::from(index % 2), f32::from(index / 2));
        let (x, y) = (14.0 + column * 91.0, 122.0 + row * 9.0);
        sheet.fill(BoxMm::new(x, y, 24.0, 9.0), TINT);
        let style = Style::label(7.5).ink(GREY).align(Align::Centre);
        sheet.text([x + 12.0, y + 4.5], style, label)?;
        sheet.text([x + 27.0, y + 4.5], Style::value(10.0), value)?;
        sheet.frame(BoxMm::new(x, y, 91.0, 9.0), 0.15, GREY);
    }
    let caption = Style::bold(9.5).ink(STRONG);
    sheet.text([DIGITS_LEFT, 145.5], caption, letter.caption)?;
    for group in 0..4_u8 {
        sheet.frame(group_box(group), 0.5, BLACK);
        if letter.is_specimen {
            for place in 0..4_u8 {
                sheet.disc(digit_centre(group * 4 + place), 2.4, BLACK);
            }
        }
    }
    sheet.lines([DIGITS_LEFT, 175.0], 5.4, Style::label(8.5), &letter.below)?;
    let reference = format!("お問い合わせ番号 {}", letter.reference);
    sheet.text([196.0, 191.5], Style::label(7.5).ink(GREY).align(Align::Right), &reference)?;
    Ok(())
}

fn group_box(group: u8) -> BoxMm {
    let x = DIGITS_LEFT + f32::from(group) * (GROUP[0] + GROUP_GAP);
    BoxMm::new(x, DIGITS_TOP, GROUP[0], GROUP[1])
}

/// The middle of the digit at that place, 0 to 15.
fn digit_centre(place: u8) -> [f32; 2] {
    let area = group_box(place / 4);
    let pitch = (area.w - 4.0) / 4.0;
    [area.x + 2.0 + (f32::from(place % 4) + 0.5) * pitch, area.y + area.h / 2.0]
}

fn cautions(sheet: &mut Sheet<'_>, letter: &Words<'_>) -> Drawn {
    let phone = &letter.house.telephone;
    sheet.text([14.0, 208.0], Style::bold(10.0).ink(STRONG), "ご注意ください")?;
    let mut y = 215.5;
    for line in &letter.cautions {
        sheet.disc([17.0, y], 0.8, STRONG);
        sheet.text([20.5, y], Style::label(9.0), line)?;
        y += 7.0;
    }
    let foot = format!("{}  ヘルプデスク {phone}", letter.house.bank);
    sheet.text([105.0, 284.0], Style::label(8.0).ink(GREY).align(Align::Centre), &foot)?;
    Ok(())
}

/// Adds the digits in a stream of their own, writes the file, and overwrites the stream.
fn finish_secret(
    mut draft: Draft,
    characters: &[u8; 16],
    em: f32,
) -> Result<Zeroizing<Vec<u8>>, PrintFault> {
    draft.tidy();
    let shapes = shapes(characters, em)?;
    let page = draft.pages.first().copied().ok_or(PrintFault::Nothing)?;
    let room = shapes.len();
    let secret = add_content(&mut draft, page, &shapes)?;
    // Written with room to spare: growing would leave copies behind in freed memory.
    let written = draft.write(room);
    if let Ok(stream) = draft.pdf.get_object_mut(secret).and_then(Object::as_stream_mut) {
        stream.content.zeroize();
    }
    written.map(Zeroizing::new)
}

fn add_content(draft: &mut Draft, page: ObjectId, content: &[u8]) -> Result<ObjectId, PrintFault> {
    let secret =
        draft.pdf.add_object(Stream::new(dictionary! {}, content.to_vec()).with_compression(false));
    let page = draft.pdf.get_dictionary_mut(page).map_err(failed("opening a page"))?;
    let first = page.get(b"Contents").map_err(failed("finding a content stream"))?.clone();
    page.set("Contents", vec![first, Object::Reference(secret)]);
    Ok(secret)
}

/// The characters as filled outlines in the space of the page.
fn shapes(characters: &[u8; 16], em: f32) -> Result<Zeroizing<Vec<u8>>, PrintFault> {
    let fonts = Fonts::embedded();
    let source = fonts.faces.first().ok_or(PrintFault::Nothing)?;
    let face = source.parse()?;
    // The largest character takes less than two kilobytes of path.
    let mut path =
        Path { text: Zeroizing::new(String::with_capacity(64 * 1024)), ..Path::default() };
    path.text.push_str("q 0 g\n");
    for (place, character) in (0_u8..).zip(characters) {
        let glyph = face.glyph_index(char::from(*character)).unwrap_or_default();
        let scale = em * 72.0 / 25.4 / f32::from(face.units_per_em());
        let advance = f32::from(face.glyph_hor_advance(glyph).unwrap_or(0)) * scale;
        let [x, y] = digit_centre(place);
        let left = x * 72.0 / 25.4 - advance / 2.0;
        let base = (PAGE_MM[1] - y - 0.365 * em) * 72.0 / 25.4;
        (path.scale, path.origin) = (scale, [left, base]);
        face.outline_glyph(glyph, &mut path);
        path.text.push_str("f\n");
    }
    path.text.push_str("Q\n");
    Ok(Zeroizing::new(path.text.as_bytes().to_vec()))
}

/// An outline as operators of a content stream.
#[derive(Default)]
struct Path {
    text: Zeroizing<String>,
    scale: f32,
    origin: [f32; 2],
    at: [f32; 2],
}

impl Path {
    fn place(&self, x: f32, y: f32) -> [f32; 2] {
        [self.origin[0] + x * self.scale, self.origin[1] + y * self.scale]
    }

    fn write(&mut self, points: &[[f32; 2]], operator: &str) {
        for [x, y] in points {
            // Writing into a string cannot fail.
            let _ = write!(self.text, "{x:.2} {y:.2} ");
        }
        self.text.push_str(operator);
        self.text.push('\n');
        if let Some(last) = points.last() {
            self.at = *last;
        }
    }
}

impl ttf_parser::OutlineBuilder for Path {
    fn move_to(&mut self, x: f32, y: f32) {
        self.write(&[self.place(x, y)], "m");
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.write(&[self.place(x, y)], "l");
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let (from, control, to) = (self.at, self.place(x1, y1), self.place(x, y));
        let third = |a: f32, b: f32| a + (b - a) * 2.0 / 3.0;
        let first = [third(from[0], control[0]), third(from[1], control[1])];
        let second = [third(to[0], control[0]), third(to[1], control[1])];
        self.write(&[first, second, to], "c");
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.write(&[self.place(x1, y1), self.place(x2, y2), self.place(x, y)], "c");
    }

    fn close(&mut self) {
        self.text.push_str("h\n");
    }
}
