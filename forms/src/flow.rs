//! Running text in lines: where a line of Japanese or English may end (禁則).

use crate::fault::PrintFault;
use crate::sheet::{Sheet, Style};

/// Never at the beginning of a line.
const NOT_FIRST: &str =
    "、。,.・:;?!)」』】〕}〉》ー々〜%…ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ";
/// Never at the end of one.
const NOT_LAST: &str = "(「『【〔{〈《";

/// The text in lines that fit the room, each as long as possible; spaces at their ends are dropped.
pub(crate) fn wrap<'t>(
    sheet: &Sheet<'_>,
    style: Style,
    text: &'t str,
    room: f32,
) -> Result<Vec<&'t str>, PrintFault> {
    let mut lines = Vec::new();
    let (mut start, mut width, mut last_break) = (0, 0.0, None);
    let mut before = None;
    for (at, character) in text.char_indices() {
        let wide = sheet.width(style, character.encode_utf8(&mut [0; 4]))?;
        if before.is_some_and(|before| may_break(before, character)) {
            last_break = Some((at, width));
        }
        if width + wide > room && at > start && character != ' ' {
            let (end, used) = last_break.take().unwrap_or((at, width));
            lines.extend(text.get(start..end).map(str::trim));
            (start, width) = (end, width - used);
        }
        width += wide;
        before = Some(character);
    }
    lines.extend(text.get(start..).map(str::trim).filter(|line| !line.is_empty()));
    Ok(lines)
}

fn may_break(before: char, after: char) -> bool {
    let is_word = |c: char| c.is_ascii_graphic() && !matches!(c, '(' | ')');
    let stays = NOT_FIRST.contains(after) || NOT_LAST.contains(before) || after == ' ';
    !(stays || is_word(before) && is_word(after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fonts::{Fonts, Typesetter};

    fn check(text: &str, room: f32, expected: &[&str]) {
        let fonts = Fonts::embedded();
        let setter = Typesetter::new(&fonts).unwrap();
        let sheet = Sheet::new(&setter);
        // An em of this size is ten millimetres.
        let style = Style::label(10.0 * 72.0 / 25.4);
        assert_eq!(wrap(&sheet, style, text, room).unwrap(), expected, "{text}");
    }

    #[test]
    fn lines_end_where_they_may() {
        check("書面のとおりです。", 41.0, &["書面のと", "おりで", "す。"]);
        check("書面ですよ。次の行", 51.0, &["書面です", "よ。次の行"]);
        check("あいう「えお」", 41.0, &["あいう", "「えお」"]);
        check("番号12345です", 41.0, &["番号", "12345", "です"]);
        check("a word or two", 41.0, &["a word", "or two"]);
        check("", 41.0, &[]);
    }
}
