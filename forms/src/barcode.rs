//! Japan Post's customer barcode (カスタマバーコード): postal code and the numbers of an address as
//! 67 bars of four heights.
//!
//! Facts from the post's manual of postal codes and barcodes: the table of characters, the check
//! digit modulo 19, the rules by which numbers are taken out of an address, and the dimensions.

use crate::form3::BoxMm;
use crate::sheet::{BLACK, Sheet};

mod address;

pub use address::address_number;

/// How many characters of the address follow the postal code.
const ADDRESS_CHARACTERS: usize = 13;
/// The modulus of the check digit: ten digits, the hyphen and eight control characters.
const MODULUS: u8 = 19;
const HYPHEN: u8 = 10;
/// CC1, before the letters A to J; CC2 and CC3 follow it.
const FIRST_CONTROL: u8 = 11;
/// CC4, which fills what is left.
const FILLER: u8 = 14;

/// The heights of each character's three bars, by its value: 1 long, 2 semi-long upwards, 3
/// semi-long downwards, 4 short.
const BARS: [[u8; 3]; MODULUS as usize] = [
    [1, 4, 4],
    [1, 1, 4],
    [1, 3, 2],
    [3, 1, 2],
    [1, 2, 3],
    [1, 4, 1],
    [3, 2, 1],
    [2, 1, 3],
    [2, 3, 1],
    [4, 1, 1],
    [4, 1, 4],
    [3, 2, 4],
    [3, 4, 2],
    [2, 3, 4],
    [4, 3, 2],
    [2, 4, 3],
    [4, 2, 3],
    [4, 4, 1],
    [1, 1, 1],
];
const START: [u8; 2] = [1, 3];
const STOP: [u8; 2] = [3, 1];

/// The size in points; 8 to 11.5 are allowed. At 9 the bars and the space around them fit a window.
const POINTS: f32 = 9.0;
/// From bar to bar.
const PITCH_MM: f32 = 1.2 * POINTS / 10.0;
const BAR_MM: f32 = 0.6 * POINTS / 10.0;
/// The long bar is six parts high, the semi-long four, the short two.
const PART_MM: f32 = 0.6 * POINTS / 10.0;
/// The height of the longest bar.
pub(crate) const HEIGHT_MM: f32 = 6.0 * PART_MM;
/// Nothing may stand nearer to the bars.
pub(crate) const QUIET_MM: f32 = 2.0;

/// The characters between start and stop: postal code, address, check digit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerBarcode {
    values: [u8; 21],
}

impl CustomerBarcode {
    /// The barcode of an address in full. None when the post wants none: the postal code has not
    /// seven digits, or stands for a whole town (it ends in `00`).
    pub fn of(postal_code: &str, address: &str) -> Option<Self> {
        let postal: Vec<u8> = postal_code.chars().filter_map(digit).collect();
        if postal.len() != 7 || postal.ends_with(&[0, 0]) {
            return None;
        }
        let number = match postal.get(3..6) {
            Some([8, 6, 9]) => address::box_number(address),
            // The code of one large office says everything.
            Some([8, ..]) => String::new(),
            _ => address_number(address),
        };
        let mut values = [FILLER; 21];
        let given = postal.into_iter().chain(characters(&number).take(ADDRESS_CHARACTERS));
        values.iter_mut().zip(given).for_each(|(place, value)| *place = value);
        let sum: u32 = values.iter().take(20).map(|value| u32::from(*value)).sum();
        let rest = u8::try_from(sum % u32::from(MODULUS)).unwrap_or_default();
        if let Some(check) = values.last_mut() {
            *check = (MODULUS - rest) % MODULUS;
        }
        Some(Self { values })
    }

    /// The characters as the manual writes them: `2630023 3-30-8-403 CC4 …`, the check digit last.
    pub fn characters(&self) -> Vec<String> {
        let name = |value: &u8| match *value {
            HYPHEN => "-".to_owned(),
            control if control >= FIRST_CONTROL => format!("CC{}", control - HYPHEN),
            digit => digit.to_string(),
        };
        self.values.iter().map(name).collect()
    }

    /// The heights of the 67 bars, 1 to 4 as in [`BARS`].
    fn bars(&self) -> impl Iterator<Item = u8> {
        let middle = self.values.iter().filter_map(|value| BARS.get(usize::from(*value))).flatten();
        START.iter().chain(middle).chain(STOP.iter()).copied()
    }

    /// Draws the bars from that top left corner.
    pub(crate) fn draw(&self, sheet: &mut Sheet<'_>, [x, y]: [f32; 2]) {
        let bars = (0_u8..).zip(self.bars()).map(|(place, height)| {
            let (top, parts) = match height {
                1 => (0.0, 6.0),
                2 => (0.0, 4.0),
                3 => (2.0, 4.0),
                _ => (2.0, 2.0),
            };
            let left = x + f32::from(place) * PITCH_MM;
            BoxMm::new(left, y + top * PART_MM, BAR_MM, parts * PART_MM)
        });
        sheet.fill_all(bars, BLACK);
    }
}

/// The width of all bars.
#[cfg(test)]
pub(crate) const WIDTH_MM: f32 = 66.0 * PITCH_MM + BAR_MM;

fn digit(character: char) -> Option<u8> {
    u8::try_from(address::narrow(character).to_digit(10)?).ok()
}

/// The values of a number's characters; a letter is a control character and a digit.
fn characters(number: &str) -> impl Iterator<Item = u8> {
    number
        .bytes()
        .flat_map(|byte| match byte {
            b'0'..=b'9' => [Some(byte - b'0'), None],
            b'A'..=b'Z' => {
                let place = byte - b'A';
                [Some(FIRST_CONTROL + place / 10), Some(place % 10)]
            }
            _ => [Some(HYPHEN), None],
        })
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the manual, with the check digit it gives.
    const PUBLISHED: [(&str, &str, &str); 17] = [
        ("263-0023", "千葉市稲毛区緑町3丁目30-8 郵便ビル403号", "2630023 3-30-8-403 ... 5"),
        ("014-0113", "秋田県大仙市堀見内 南田茂木 添60-1", "0140113 60-1 ......... CC8"),
        ("110-0016", "東京都台東区台東5-6-3 ABCビル10F", "1100016 5-6-3-10 ..... 9"),
        ("060-0906", "北海道札幌市東区北六条東4丁目 郵便センター6号館", "0600906 4-6 .......... 9"),
        (
            "065-0006",
            "北海道札幌市東区北六条東8丁目 郵便センター10号館",
            "0650006 8-10 ......... 9",
        ),
        ("407-0033", "山梨県韮崎市龍岡町下條南割 韮崎400", "4070033 400 .......... -"),
        (
            "273-0102",
            "千葉県鎌ケ谷市右京塚 東3丁目-20-5 郵便・A&bコーポB604号",
            "2730102 3-20-5 CC1 1604 .. 0",
        ),
        (
            "198-0036",
            "東京都青梅市河辺町十一丁目六番地一号 郵便タワー601",
            "1980036 11-6-1-601 ... CC8",
        ),
        ("027-0203", "岩手県宮古市大字津軽石第二十一地割大淵川480", "0270203 21-480 ....... CC5"),
        ("590-0016", "大阪府堺市堺区中田出井町四丁六番十九号", "5900016 4-6-19 ....... CC2"),
        ("080-0831", "北海道帯広市稲田町南七線 西28", "0800831 7-28 ......... CC7"),
        ("317-0055", "茨城県日立市宮田町6丁目7-14 ABCビル2F", "3170055 6-7-14-2 ..... CC1"),
        (
            "650-0046",
            "神戸市中央区港島中町9丁目7-6 郵便シティA棟1F1号",
            "6500046 9-7-6 CC1 01-1 ... 5",
        ),
        ("623-0011", "京都府綾部市青野町綾部6-7 LプラザB106", "6230011 6-7 CC2 1 CC1 1106 ... 4"),
        (
            "064-0804",
            "札幌市中央区南四条西29丁目1524-23 第2郵便ハウス501",
            "0640804 29-1524-23-2- 3",
        ),
        ("910-0067", "福井県福井市新田塚3丁目80-25 J1ビル2-B", "9100067 3-80-25 CC1 91-2 CC1 9"),
        ("100-0013", "東京都千代田区霞が関1丁目3番2号 郵便プラザ503室", "1000013 1-3-2-503 .... 9"),
    ];

    #[test]
    fn the_examples_of_the_manual_come_out_as_published() {
        for (postal, address, expected) in PUBLISHED {
            let made = CustomerBarcode::of(postal, address).unwrap();
            let written = made.characters().concat().replace("CC4", ".");
            assert_eq!(written, expected.replace(' ', ""), "{address}");
        }
    }

    #[test]
    fn a_code_of_a_town_or_of_one_office_is_treated_as_such() {
        assert_eq!(CustomerBarcode::of("100-0000", "千代田区見本町1-2"), None);
        assert_eq!(CustomerBarcode::of("100-01", "千代田区見本町1-2"), None);
        let office = CustomerBarcode::of("100-8792", "千代田区見本町1-2").unwrap();
        assert_eq!(office.characters().iter().filter(|c| *c == "CC4").count(), 13);
        let po_box = CustomerBarcode::of("980-8691", "仙台中央郵便局 私書箱第215号").unwrap();
        assert!(po_box.characters().concat().starts_with("9808691215CC4"));
    }

    #[test]
    fn bars_have_the_heights_and_the_pitch_of_the_manual() {
        // 100-0013 begins with the start bars and a 1: long, semi-long down; long, long, short.
        let made = CustomerBarcode::of("100-0013", "霞が関1丁目3番2号 郵便プラザ503室").unwrap();
        let bars: Vec<u8> = made.bars().collect();
        assert_eq!((bars.len(), &bars[..5], &bars[65..]), (67, &[1, 3, 1, 1, 4][..], &[3, 1][..]));
        // The bounds of the manual for this size.
        let scale = POINTS / 10.0;
        assert!((3.4 * scale..=3.6001 * scale).contains(&HEIGHT_MM));
        assert!((0.95 * scale..=1.3 * scale).contains(&PITCH_MM));
        assert!((0.5 * scale..=0.7 * scale).contains(&BAR_MM));
        let space = PITCH_MM - BAR_MM;
        assert!((0.45 * scale..=0.6001 * scale).contains(&space));
        assert!((8.0..=11.5).contains(&POINTS));
        assert!((WIDTH_MM - 71.82).abs() < 0.01);
    }
}
