//! Breaks a long drawing into rows, as text is broken into lines.

use super::layout::{Place, Placed};

/// Free space between a row's end and the nearest arrow that goes on in the next row.
const TURN: f64 = 12.0;
/// Between two arrows that go on side by side.
const LANE: f64 = 9.0;

/// A row of layers.
#[derive(Debug, Clone, Copy)]
struct Row {
    /// Along, before folding.
    start: f64,
    end: f64,
    /// Across, before folding.
    top: f64,
    bottom: f64,
    /// Across, after folding.
    at: f64,
}

impl Placed {
    /// Leaves a drawing that fits as it is; breaks a longer one into rows of about equal length.
    pub(super) fn fold(&mut self, boxes: &[Place], widest: f64) {
        if self.size.along <= widest {
            return;
        }
        let mut rows = self.rows(widest);
        self.measure(boxes, &mut rows);
        let lanes = self.lanes(&rows);
        let most = lanes.iter().copied().map(number).fold(0.0, f64::max);
        let indent = if rows.len() > 1 { TURN + most * LANE } else { 0.0 };
        let mut at = 0.0;
        for (row, lanes) in rows.iter_mut().zip(lanes.iter().chain([&0])) {
            row.at = at;
            at += row.bottom - row.top + 2.0 * TURN + number(*lanes) * LANE;
        }
        self.lead(&rows, indent);
        for place in &mut self.boxes {
            *place = moved(*place, &rows, indent);
        }
        for led in &mut self.links {
            led.label = moved(led.label, &rows, indent);
        }
        let longest = rows.iter().map(|row| row.end - row.start).fold(0.0, f64::max);
        let last = rows.last().map_or(0.0, |row| row.at + row.bottom - row.top);
        self.size = Place { along: longest + 2.0 * indent, across: last };
    }

    /// Breaks stand before a layer of boxes, so that a label stays in the row of its beginning.
    fn rows(&self, widest: f64) -> Vec<Row> {
        // Arrows that turn need room at both ends.
        let room = widest - 2.0 * (TURN + 4.0 * LANE);
        let wanted = self.size.along / (self.size.along / room).ceil();
        let mut rows: Vec<Row> = Vec::new();
        let mut start = 0.0;
        let mut end = 0.0;
        for (layer, band) in self.bands.iter().enumerate() {
            let closes = self.bands.get(layer + 1).map_or(band.1, |next| next.1);
            let is_full = closes - start > room || band.0 - start > wanted;
            if layer % 2 == 0 && layer > 0 && is_full {
                rows.push(Row { start, end, top: 0.0, bottom: 0.0, at: 0.0 });
                start = band.0;
            }
            end = band.1;
        }
        rows.push(Row { start, end, top: 0.0, bottom: 0.0, at: 0.0 });
        rows
    }

    /// How far each row reaches across.
    fn measure(&self, boxes: &[Place], rows: &mut [Row]) {
        let mut reach = vec![(f64::INFINITY, f64::NEG_INFINITY); rows.len()];
        let mut note = |place: Place, half: f64| {
            if let Some(reach) = reach.get_mut(row_of(place.along, rows)) {
                reach.0 = reach.0.min(place.across - half);
                reach.1 = reach.1.max(place.across + half);
            }
        };
        for (place, size) in self.boxes.iter().zip(boxes) {
            note(*place, size.across / 2.0 + 6.0);
        }
        for led in &self.links {
            note(led.label, 20.0);
            led.points.iter().for_each(|point| note(*point, 2.0));
        }
        for (row, (top, bottom)) in rows.iter_mut().zip(reach) {
            (row.top, row.bottom) = (top, bottom);
        }
    }

    /// How many arrows go on from each row to the next.
    fn lanes(&self, rows: &[Row]) -> Vec<usize> {
        let mut lanes = vec![0; rows.len().saturating_sub(1)];
        for led in &self.links {
            for pair in led.points.windows(2) {
                let [one, two] = pair else { continue };
                let (a, b) = (row_of(one.along, rows), row_of(two.along, rows));
                if a != b
                    && let Some(lanes) = lanes.get_mut(a.min(b))
                {
                    *lanes += 1;
                }
            }
        }
        lanes
    }

    /// Leads arrows from a row's end round to the beginning of the next.
    fn lead(&mut self, rows: &[Row], indent: f64) {
        let mut used = vec![0_usize; rows.len()];
        for led in &mut self.links {
            let mut points: Vec<Place> = Vec::new();
            let mut before: Option<(usize, Place)> = None;
            for point in &led.points {
                let row = row_of(point.along, rows);
                let place = moved(*point, rows, indent);
                if let Some((other, from)) = before.filter(|(other, _)| *other != row) {
                    let upper = row.min(other);
                    let lane = used.get(upper).copied().map(number).unwrap_or_default();
                    used.iter_mut().skip(upper).take(1).for_each(|used| *used += 1);
                    let (first, second) = if other < row { (from, place) } else { (place, from) };
                    let mut corners = round(rows, upper, indent, lane, first, second);
                    if other > row {
                        corners.reverse();
                    }
                    points.extend(corners);
                }
                points.push(place);
                before = Some((row, place));
            }
            led.points = points;
        }
    }
}

/// The four corners of an arrow that goes on in the next row.
fn round(
    rows: &[Row],
    upper: usize,
    indent: f64,
    lane: f64,
    first: Place,
    second: Place,
) -> Vec<Place> {
    let Some(row) = rows.get(upper) else { return Vec::new() };
    let right = indent + row.end - row.start + TURN + lane * LANE;
    let left = indent - TURN - lane * LANE;
    let between = row.at + row.bottom - row.top + TURN + lane * LANE;
    vec![
        Place { along: right, across: first.across },
        Place { along: right, across: between },
        Place { along: left, across: between },
        Place { along: left, across: second.across },
    ]
}

fn row_of(along: f64, rows: &[Row]) -> usize {
    rows.iter().rposition(|row| along >= row.start - 0.5).unwrap_or_default()
}

fn moved(place: Place, rows: &[Row], indent: f64) -> Place {
    let Some(row) = rows.get(row_of(place.along, rows)) else { return place };
    Place { along: place.along - row.start + indent, across: place.across - row.top + row.at }
}

/// A count as a length.
fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests {
    use super::super::layout::{Link, lay_out};
    use super::*;

    #[test]
    fn a_long_chain_becomes_rows_that_fit() {
        let boxes = vec![Place { along: 120.0, across: 50.0 }; 12];
        let label = Place { along: 60.0, across: 16.0 };
        let links: Vec<Link> =
            (0..11).map(|at| Link { from: at, to: at + 1, label, is_main: true }).collect();
        let mut placed = lay_out(&boxes, &links);
        assert!(placed.size.along > 2000.0);
        placed.fold(&boxes, 1200.0);
        assert!(placed.size.along <= 1200.0, "{}", placed.size.along);
        assert!(placed.size.across > 150.0);
        for led in &placed.links {
            assert!(led.points.iter().all(|point| (0.0..=1200.0).contains(&point.along)));
            assert!(led.points.iter().all(|point| point.across <= placed.size.across + 1.0));
        }
    }
}
