//! Paper bends: a map of the page that is right in its middle may be off by millimetres in a corner.
//! Where a frame was found tells how the paper lies around it, so a frame that was found elsewhere
//! than its neighbours say is looked for again, beginning next to those that agree.

/// Neighbours that are asked.
const ASKED: usize = 5;
/// Those of them, known for sure, from which a place is taken over.
const NEAREST: usize = 3;
/// So far a frame may lie beside its place and be believed at once, in millimetres.
const NEAR_MM: f32 = 0.9;
/// So far beside where its neighbours say it is, in millimetres: paper bends slowly.
pub(crate) const ALIKE_MM: f32 = 0.6;

/// What is known of a field's place.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Known {
    /// It lies so far beside its place on the map, in millimetres.
    At([f32; 2]),
    /// To be looked at again.
    Doubtful,
    /// Looked at again, and not found.
    Lost,
}

/// The fields of a page, and how far beside their places they lie.
pub(crate) struct Bends {
    fields: Vec<([f32; 2], Known)>,
}

impl Bends {
    /// From the centres of all fields, each with where its frame was found, if it was seen.
    pub(crate) fn of(found: &[([f32; 2], Option<[f32; 2]>)]) -> Self {
        let seen: Vec<([f32; 2], [f32; 2])> =
            found.iter().filter_map(|(centre, off)| off.map(|off| (*centre, off))).collect();
        let known = |(centre, off): &([f32; 2], Option<[f32; 2]>)| {
            let believed = off.filter(|off| {
                let others = nearest(&seen, *centre, ASKED + 1);
                // The nearest of all is the field itself.
                let others = others.get(1..).unwrap_or_default();
                length(*off) <= NEAR_MM && apart(*off, middle(others)) <= ALIKE_MM
            });
            (*centre, believed.map_or(Known::Doubtful, Known::At))
        };
        Self { fields: found.iter().map(known).collect() }
    }

    /// The next field to be looked at again, and where its neighbours say that it is.
    pub(crate) fn next(&self) -> Option<(usize, [f32; 2])> {
        let sure: Vec<([f32; 2], [f32; 2])> = self
            .fields
            .iter()
            .filter_map(|(centre, known)| match known {
                Known::At(off) => Some((*centre, *off)),
                Known::Doubtful | Known::Lost => None,
            })
            .collect();
        if sure.len() < ASKED {
            return None;
        }
        let doubtful =
            self.fields.iter().enumerate().filter(|(_, (_, known))| *known == Known::Doubtful);
        let reach = |centre: [f32; 2]| {
            sure.iter().map(|(other, _)| apart(centre, *other)).fold(f32::MAX, f32::min)
        };
        let (index, (centre, _)) =
            doubtful.min_by(|(_, (a, _)), (_, (b, _))| reach(*a).total_cmp(&reach(*b)))?;
        Some((index, middle(&nearest(&sure, *centre, NEAREST))))
    }

    /// What came of looking again.
    pub(crate) fn settle(&mut self, index: usize, off: Option<[f32; 2]>) {
        if let Some((_, known)) = self.fields.get_mut(index) {
            *known = off.map_or(Known::Lost, Known::At);
        }
    }
}

fn length([x, y]: [f32; 2]) -> f32 {
    x.hypot(y)
}

fn apart([x0, y0]: [f32; 2], [x1, y1]: [f32; 2]) -> f32 {
    (x1 - x0).hypot(y1 - y0)
}

/// How far the fields nearest to a place lie beside theirs, the nearest first.
fn nearest(all: &[([f32; 2], [f32; 2])], to: [f32; 2], count: usize) -> Vec<[f32; 2]> {
    let mut near: Vec<(f32, [f32; 2])> =
        all.iter().map(|(centre, off)| (apart(*centre, to), *off)).collect();
    near.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    near.into_iter().take(count).map(|(_, off)| off).collect()
}

/// The median either way, which one stray does not move.
fn middle(offs: &[[f32; 2]]) -> [f32; 2] {
    let median = |mut values: Vec<f32>| {
        values.sort_by(f32::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(0.0)
    };
    let (across, down) = offs.iter().map(|[x, y]| (*x, *y)).unzip();
    [median(across), median(down)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five by eight fields on paper that bends down to the right.
    fn paper() -> Vec<([f32; 2], [f32; 2])> {
        let at = |index: u16| {
            let (x, y) = (20.0 + 40.0 * f32::from(index % 5), 20.0 + 12.0 * f32::from(index / 5));
            ([x, y], [0.0, (x / 180.0).powi(2) * 2.0])
        };
        (0..40).map(at).collect()
    }

    #[test]
    fn flat_paper_leaves_no_doubt() {
        let flat: Vec<_> = paper().into_iter().map(|(at, _)| (at, Some([0.1, -0.1]))).collect();
        assert_eq!(Bends::of(&flat).next(), None);
    }

    #[test]
    fn a_frame_found_elsewhere_than_its_neighbours_say_is_looked_for_again() {
        let mut found: Vec<_> = paper().into_iter().map(|(at, _)| (at, Some([0.0, 0.0]))).collect();
        found[17].1 = Some([0.8, 0.3]);
        let mut bends = Bends::of(&found);
        assert_eq!(bends.next(), Some((17, [0.0, 0.0])));
        bends.settle(17, None);
        assert_eq!(bends.next(), None);
    }

    #[test]
    fn a_corner_that_bends_away_is_followed_from_where_the_paper_is_known() {
        let paper = paper();
        // Beyond the reach of the search another line was taken for the frame.
        let found = |(at, off): &([f32; 2], [f32; 2])| {
            (*at, Some(if off[1] < 1.2 { *off } else { [-1.0, 0.4] }))
        };
        let mut bends = Bends::of(&paper.iter().map(found).collect::<Vec<_>>());
        let mut steps = 0;
        while let Some((index, expected)) = bends.next() {
            let is = paper[index].1;
            let found = apart(is, expected) < 1.2;
            bends.settle(index, found.then_some(is));
            steps += 1;
        }
        assert!(steps >= 8, "{steps}");
        assert!(
            bends
                .fields
                .iter()
                .zip(&paper)
                .all(|((_, known), (_, off))| { *known == Known::At(*off) })
        );
    }

    #[test]
    fn where_nothing_is_known_nothing_is_taken_over() {
        let found: Vec<_> = paper().into_iter().map(|(at, _)| (at, None)).collect();
        assert_eq!(Bends::of(&found).next(), None);
    }
}
