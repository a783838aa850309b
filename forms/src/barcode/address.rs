//! The number of an address (住所表示番号), by the rules of the post's manual.
//!
//! The rules speak of what follows the name of the town. The whole address is taken here, for
//! nothing tells where the town ends; numerals that belong to its name are told by what follows
//! them (三番町, 八丁堀, 三ノ輪).

/// Words before which a numeral in kanji counts.
const AFTER_NUMERALS: [&str; 9] = ["丁目", "丁", "番地", "番", "号", "地割", "線", "の", "ノ"];
/// Characters that are taken out before anything else.
const DROPPED: [char; 5] = ['&', '/', '・', '･', '.'];

/// Digits, single letters and hyphens of an address: `3-30-8-403`.
pub fn address_number(address: &str) -> String {
    let narrow: String = address
        .chars()
        .map(|character| narrow(character).to_ascii_uppercase())
        .filter(|character| !DROPPED.contains(character))
        .collect();
    joined(&counted(&narrow))
}

/// The number of a post office box: the digits after 私書箱, four at most.
pub(super) fn box_number(address: &str) -> String {
    let after = address.rsplit_once("私書箱").map_or("", |(_, after)| after);
    let digits = after.chars().map(narrow).skip_while(|c| !c.is_ascii_digit());
    digits.take_while(char::is_ascii_digit).take(4).collect()
}

/// The half-width character of a full-width one.
pub(super) fn narrow(character: char) -> char {
    let code = u32::from(character);
    match code {
        0xFF01..=0xFF5E => char::from_u32(code - 0xFEE0).unwrap_or(character),
        _ => character,
    }
}

/// Numerals in kanji as digits, where a word follows that makes them a number.
fn counted(text: &str) -> String {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| numeral(c).is_none()).unwrap_or(rest.len());
        let (numerals, after) = rest.split_at(end);
        if numerals.is_empty() {
            done.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            continue;
        }
        match value(numerals).filter(|_| is_counted(after)) {
            Some(number) => done.push_str(&number),
            None => done.push_str(numerals),
        }
        rest = after;
    }
    done
}

/// Whether what follows a numeral makes it part of the address's number and not of a town's name.
fn is_counted(after: &str) -> bool {
    let Some(word) = AFTER_NUMERALS.iter().find(|word| after.starts_with(**word)) else {
        return false;
    };
    let next = after.get(word.len()..).and_then(|rest| rest.chars().next());
    match (*word, next) {
        ("番", Some('町' | '丁')) | ("丁", Some('堀' | '町')) => false,
        ("の" | "ノ", next) => next.is_some_and(|c| c.is_ascii_digit() || numeral(c).is_some()),
        _ => true,
    }
}

fn numeral(character: char) -> Option<u32> {
    Some(match character {
        '〇' | '零' => 0,
        '一' => 1,
        '二' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        '十' => 10,
        '百' => 100,
        '千' => 1000,
        _ => return None,
    })
}

/// The digits that a numeral says: 十九 is 19, 二〇一 is 201; none for one too large to be one.
fn value(numerals: &str) -> Option<String> {
    let parts: Vec<u32> = numerals.chars().filter_map(numeral).collect();
    if parts.iter().all(|part| *part < 10) {
        return Some(parts.iter().map(u32::to_string).collect());
    }
    let (mut sum, mut digit) = (0_u32, None);
    for part in parts {
        if part < 10 {
            digit = Some(part);
        } else {
            sum = sum.checked_add(digit.take().unwrap_or(1).checked_mul(part)?)?;
        }
    }
    Some(sum.checked_add(digit.unwrap_or(0))?.to_string())
}

/// What counts, with one hyphen for everything between, and none at the ends or beside a letter.
fn joined(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let at = |place: Option<usize>| place.and_then(|place| characters.get(place)).copied();
    let is = |place: Option<usize>, test: fn(&char) -> bool| at(place).is_some_and(|c| test(&c));
    let mut number = String::new();
    let mut gap = false;
    for (place, character) in characters.iter().enumerate() {
        let (before, after) = (place.checked_sub(1), place.checked_add(1));
        let is_single = character.is_ascii_uppercase()
            && !is(before, char::is_ascii_uppercase)
            && !is(after, char::is_ascii_uppercase);
        // An F behind a digit is a floor.
        let is_floor = *character == 'F' && is(before, char::is_ascii_digit);
        if !character.is_ascii_digit() && (!is_single || is_floor) {
            gap = true;
            continue;
        }
        let beside_letter = is_single || number.ends_with(|c: char| c.is_ascii_uppercase());
        if gap && !number.is_empty() && !beside_letter {
            number.push('-');
        }
        number.push(*character);
        gap = false;
    }
    number
}

#[cfg(test)]
mod tests {
    use super::address_number;

    #[test]
    fn numbers_are_taken_out_of_addresses_as_people_write_them() {
        for (address, expected) in [
            ("東京都千代田区丸の内二丁目7番1号", "2-7-1"),
            ("東京都千代田区丸の内2−7−1 見本タワーB棟12階", "2-7-1B12"),
            ("東京都港区六本木六丁目十番一号", "6-10-1"),
            ("東京都千代田区三番町5-4", "5-4"),
            ("東京都中央区八丁堀四丁目二〇一番地の三", "4-201"),
            ("東京都台東区三ノ輪一丁目2ノ3", "1-2-3"),
            ("京都府京都市見本区百二十三番地ノ四号", "123-4"),
            ("北海道見本郡千二百五番地", "1205"),
            ("四日市市見本町", ""),
            ("", ""),
            ("大阪府大阪市北区見本1-1-1-1001", "1-1-1-1001"),
            ("横浜市西区見本町3-3 タワーC-5", "3-3C5"),
        ] {
            assert_eq!(address_number(address), expected, "{address}");
        }
    }
}
