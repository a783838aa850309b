//! Texts in drawings: how wide they are, and where they may be broken.

/// How wide a text is at a size: Japanese letters are square, others a bit more than half.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let letter = |letter: char| match letter {
        'i' | 'l' | 'j' | '.' | ',' | ':' | ' ' | '\'' | '|' => 0.32,
        'm' | 'w' | 'M' | 'W' => 0.88,
        'A'..='Z' => 0.68,
        letter if letter.is_ascii() || ('\u{a0}'..'\u{2000}').contains(&letter) => 0.57,
        _ => 1.0,
    };
    text.chars().map(letter).sum::<f64>() * size
}

/// The widest of some lines.
pub(super) fn widest(lines: &[String], size: f64) -> f64 {
    lines.iter().map(|line| width(line, size)).fold(0.0, f64::max)
}

/// How many lines, as a length.
pub(super) fn count(lines: &[String]) -> f64 {
    u32::try_from(lines.len()).map_or(0.0, f64::from)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Space,
    Latin,
    Hiragana,
    Katakana,
    Kanji,
    Opening,
    Closing,
}

fn script(letter: char) -> Script {
    match letter {
        ' ' => Script::Space,
        '(' | '「' | '『' => Script::Opening,
        ')' | '」' | '』' | '、' | '。' | '・' | '!' | '?' | ',' | '.' => Script::Closing,
        'ぁ'..='ゖ' => Script::Hiragana,
        'ァ'..='ヺ' | 'ー' => Script::Katakana,
        letter if letter.is_ascii() => Script::Latin,
        _ => Script::Kanji,
    }
}

/// Breaks a text into lines of about equal length: at spaces, and between Japanese words, which
/// mostly end in hiragana and begin with something else.
pub(super) fn broken(text: &str, letters: f64) -> Vec<String> {
    let whole = width(text, 1.0);
    if whole <= letters {
        return vec![text.to_owned()];
    }
    let wanted = whole / (whole / letters).ceil();
    let mut lines = vec![String::new()];
    for word in words(text) {
        let Some(line) = lines.last_mut() else { break };
        if !line.is_empty() && width(line, 1.0) + width(&word, 1.0) / 2.0 > wanted {
            lines.push(word);
        } else {
            line.push_str(&word);
        }
    }
    lines.into_iter().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = Script::Opening;
    let mut is_aside = false;
    for letter in text.chars() {
        let now = script(letter);
        let breaks = match (before, now) {
            // What stands in brackets belongs together.
            _ if is_aside => false,
            (Script::Opening, _) | (_, Script::Closing | Script::Hiragana | Script::Space) => false,
            (before, now) => before != now,
        };
        match words.last_mut() {
            Some(word) if !breaks => word.push(letter),
            _ => words.push(letter.to_string()),
        }
        is_aside = now == Script::Opening || is_aside && now != Script::Closing;
        before = now;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words() {
        let check = |text: &str, lines: &[&str]| assert_eq!(broken(text, 6.5), lines, "{text}");
        check("承認する", &["承認する"]);
        check("印影の一致を記録する", &["印影の一致を", "記録する"]);
        check("不備(電話で確認)", &["不備", "(電話で確認)"]);
        check("証明書取得用パスワードの入力", &["証明書取得用", "パスワードの", "入力"]);
        check("Record that the seal matches", &["Record", "that the", "seal matches"]);
    }

    #[test]
    fn nothing_is_lost_in_breaking() {
        for text in
            ["身に覚えがないと届け出る", "新しい電子証明書で初回ログイン", "電子証明書を作成中"]
        {
            assert_eq!(broken(text, 6.5).concat(), text);
            assert!(widest(&broken(text, 6.5), 1.0) <= 10.0, "{text}");
        }
    }
}
