//! The ticks and digits of a page: each is read where the map puts it, and once more where its
//! neighbours say that it is, when they do not agree.

use image::GrayImage;

use crate::bends::{ALIKE_MM, Bends};
use crate::boxes::read_check;
use crate::digits::{BothHands, read_digits};
use crate::form3::PageLayout;
use crate::locate::Registration;
use crate::reading::PageReading;

/// Ticks and digits; how many of their frames were seen, and of how many.
pub(crate) fn read_boxes(
    reading: &mut PageReading,
    grey: &GrayImage,
    registration: &Registration,
    page: &PageLayout,
    reader: BothHands,
) -> (usize, usize) {
    let mut found = Vec::new();
    for field in &page.checkboxes {
        let (check, frame) = read_check(grey, registration, field.area);
        found.push((field.area.centre(), frame.off()));
        reading.checks.insert(field.id.clone(), check);
    }
    for field in &page.digits {
        let (digits, frame) = read_digits(grey, registration, field, &reader);
        found.push((field.area().centre(), frame.off()));
        reading.digits.insert(field.id.clone(), digits);
    }
    let mut bends = Bends::of(&found);
    while let Some((index, off)) = bends.next() {
        let place = read_again(reading, grey, registration, page, reader, (index, off));
        bends.settle(index, place);
        if let Some((_, off)) = found.get_mut(index) {
            *off = place;
        }
    }
    (found.iter().filter(|(_, off)| off.is_some()).count(), found.len())
}

/// Reads the box of that place in the list of a page's ticks and digits where its neighbours say that
/// it is, and gives where its frame is. When something stands beside there it is for a person.
fn read_again(
    reading: &mut PageReading,
    grey: &GrayImage,
    registration: &Registration,
    page: &PageLayout,
    reader: BothHands,
    (index, [x, y]): (usize, [f32; 2]),
) -> Option<[f32; 2]> {
    let is_there = |[dx, dy]: &[f32; 2]| dx.hypot(*dy) <= ALIKE_MM;
    let frame = if let Some(field) = page.checkboxes.get(index) {
        let (mut check, frame) = read_check(grey, registration, field.area.moved(x, y));
        check.v = check.v.filter(|_| frame.off().is_none_or(|off| is_there(&off)));
        reading.checks.insert(field.id.clone(), check);
        frame
    } else {
        let field = page.digits.get(index - page.checkboxes.len())?;
        let (mut digits, frame) = read_digits(grey, registration, &field.moved(x, y), &reader);
        if !frame.off().is_none_or(|off| is_there(&off)) {
            digits.doubt();
        }
        reading.digits.insert(field.id.clone(), digits);
        frame
    };
    frame.off().filter(is_there).map(|[dx, dy]| [x + dx, y + dy])
}
