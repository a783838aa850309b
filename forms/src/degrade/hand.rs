//! Digits as people write them: skeletons of strokes with the habits of Japanese hands (a bare 1,
//! an open 4, a hooked 7, a closed 9), bent by a writer's own hand, and drawn with a pen.

use super::chance::Chance;

/// A stroke as points in a unit box, y downwards; a point written twice is a corner.
type Stroke = &'static [[f32; 2]];

/// One way to write a digit.
type Style = &'static [Stroke];

const ZERO: &[Style] = &[
    &[&[
        [0.55, 0.02],
        [0.15, 0.2],
        [0.05, 0.55],
        [0.25, 0.93],
        [0.6, 0.97],
        [0.92, 0.6],
        [0.85, 0.2],
        [0.5, 0.03],
    ]],
    &[&[
        [0.6, 0.04],
        [0.2, 0.12],
        [0.05, 0.5],
        [0.2, 0.88],
        [0.55, 0.99],
        [0.9, 0.7],
        [0.92, 0.3],
        [0.66, 0.1],
    ]],
    &[&[
        [0.4, 0.05],
        [0.1, 0.3],
        [0.06, 0.65],
        [0.4, 0.98],
        [0.85, 0.78],
        [0.94, 0.35],
        [0.6, 0.02],
        [0.3, 0.1],
        [0.2, 0.2],
    ]],
];
const ONE: &[Style] = &[
    &[&[[0.5, 0.0], [0.5, 0.5], [0.5, 1.0]]],
    &[&[[0.5, 0.0], [0.5, 0.5], [0.5, 1.0]]],
    &[&[[0.3, 0.22], [0.55, 0.0], [0.55, 0.0], [0.53, 1.0]]],
    &[&[[0.2, 0.25], [0.52, 0.0], [0.52, 0.0], [0.52, 1.0]], &[[0.2, 1.0], [0.85, 1.0]]],
];
const TWO: &[Style] = &[
    &[&[
        [0.08, 0.25],
        [0.3, 0.03],
        [0.75, 0.08],
        [0.85, 0.35],
        [0.5, 0.65],
        [0.08, 0.97],
        [0.08, 0.97],
        [0.95, 0.95],
    ]],
    &[&[
        [0.1, 0.2],
        [0.4, 0.02],
        [0.8, 0.15],
        [0.75, 0.45],
        [0.35, 0.85],
        [0.1, 0.93],
        [0.15, 0.78],
        [0.45, 0.86],
        [0.95, 0.95],
    ]],
    &[&[[0.08, 0.1], [0.5, 0.02], [0.88, 0.2], [0.7, 0.5], [0.1, 0.98], [0.1, 0.98], [0.95, 0.97]]],
];
const THREE: &[Style] = &[
    &[&[
        [0.1, 0.1],
        [0.5, 0.0],
        [0.85, 0.2],
        [0.7, 0.42],
        [0.38, 0.47],
        [0.38, 0.47],
        [0.75, 0.52],
        [0.92, 0.75],
        [0.6, 0.98],
        [0.08, 0.9],
    ]],
    &[&[
        [0.1, 0.03],
        [0.85, 0.03],
        [0.85, 0.03],
        [0.4, 0.4],
        [0.4, 0.4],
        [0.85, 0.55],
        [0.88, 0.8],
        [0.5, 1.0],
        [0.05, 0.9],
    ]],
    &[&[
        [0.15, 0.12],
        [0.55, 0.02],
        [0.8, 0.22],
        [0.5, 0.45],
        [0.9, 0.65],
        [0.7, 0.95],
        [0.1, 0.92],
    ]],
];
const FOUR: &[Style] = &[
    &[&[[0.3, 0.0], [0.08, 0.62], [0.08, 0.62], [0.95, 0.62]], &[[0.68, 0.15], [0.66, 1.0]]],
    &[&[[0.15, 0.05], [0.12, 0.55], [0.12, 0.55], [0.92, 0.55]], &[[0.75, 0.0], [0.72, 1.0]]],
    &[&[[0.7, 0.0], [0.05, 0.68], [0.05, 0.68], [0.98, 0.68]], &[[0.7, 0.0], [0.7, 1.0]]],
    &[&[[0.68, 1.0], [0.68, 0.0], [0.68, 0.0], [0.05, 0.7], [0.05, 0.7], [0.95, 0.7]]],
    &[&[[0.35, 0.0], [0.1, 0.5], [0.1, 0.5], [0.9, 0.52]], &[[0.85, 0.25], [0.55, 1.0]]],
];
const FIVE: &[Style] = &[
    &[
        &[
            [0.2, 0.02],
            [0.15, 0.45],
            [0.15, 0.45],
            [0.55, 0.36],
            [0.9, 0.6],
            [0.7, 0.95],
            [0.1, 0.92],
        ],
        &[[0.2, 0.02], [0.9, 0.02]],
    ],
    &[
        &[
            [0.22, 0.1],
            [0.15, 0.48],
            [0.15, 0.48],
            [0.6, 0.4],
            [0.9, 0.66],
            [0.6, 0.98],
            [0.08, 0.9],
        ],
        &[[0.3, 0.0], [0.95, 0.03]],
    ],
    &[&[
        [0.9, 0.02],
        [0.22, 0.04],
        [0.22, 0.04],
        [0.16, 0.44],
        [0.16, 0.44],
        [0.6, 0.38],
        [0.9, 0.65],
        [0.65, 0.97],
        [0.08, 0.92],
    ]],
];
const SIX: &[Style] = &[
    &[&[
        [0.7, 0.0],
        [0.25, 0.35],
        [0.1, 0.72],
        [0.35, 0.98],
        [0.8, 0.88],
        [0.82, 0.6],
        [0.45, 0.5],
        [0.13, 0.7],
    ]],
    &[&[
        [0.55, 0.0],
        [0.18, 0.55],
        [0.12, 0.85],
        [0.5, 1.0],
        [0.88, 0.8],
        [0.75, 0.55],
        [0.4, 0.55],
        [0.15, 0.75],
    ]],
    &[&[
        [0.45, 0.0],
        [0.12, 0.5],
        [0.2, 0.92],
        [0.6, 0.98],
        [0.85, 0.72],
        [0.55, 0.55],
        [0.15, 0.72],
    ]],
];
const SEVEN: &[Style] = &[
    &[&[
        [0.1, 0.3],
        [0.12, 0.04],
        [0.12, 0.04],
        [0.92, 0.04],
        [0.92, 0.04],
        [0.6, 0.5],
        [0.45, 1.0],
    ]],
    &[
        &[[0.1, 0.0], [0.12, 0.32]],
        &[[0.12, 0.05], [0.92, 0.05], [0.92, 0.05], [0.62, 0.5], [0.5, 1.0]],
    ],
    &[&[[0.05, 0.05], [0.92, 0.05], [0.92, 0.05], [0.4, 1.0]]],
    &[&[[0.05, 0.05], [0.92, 0.05], [0.92, 0.05], [0.4, 1.0]], &[[0.3, 0.5], [0.82, 0.48]]],
    &[&[
        [0.08, 0.38],
        [0.1, 0.05],
        [0.1, 0.05],
        [0.85, 0.02],
        [0.85, 0.02],
        [0.8, 0.45],
        [0.62, 1.0],
    ]],
];
const EIGHT: &[Style] = &[
    &[&[
        [0.8, 0.15],
        [0.45, 0.02],
        [0.15, 0.2],
        [0.45, 0.45],
        [0.85, 0.72],
        [0.5, 0.99],
        [0.1, 0.75],
        [0.5, 0.47],
        [0.82, 0.22],
        [0.75, 0.08],
    ]],
    &[
        &[[0.5, 0.02], [0.2, 0.2], [0.5, 0.46], [0.8, 0.22], [0.5, 0.02]],
        &[[0.5, 0.46], [0.1, 0.72], [0.5, 0.99], [0.9, 0.74], [0.5, 0.46]],
    ],
    &[&[
        [0.85, 0.05],
        [0.4, 0.0],
        [0.2, 0.22],
        [0.7, 0.6],
        [0.75, 0.9],
        [0.35, 1.0],
        [0.15, 0.75],
        [0.6, 0.4],
        [0.9, 0.1],
    ]],
];
const NINE: &[Style] = &[
    &[&[
        [0.85, 0.15],
        [0.45, 0.02],
        [0.1, 0.25],
        [0.35, 0.5],
        [0.75, 0.4],
        [0.88, 0.12],
        [0.88, 0.12],
        [0.85, 0.6],
        [0.75, 1.0],
    ]],
    &[&[
        [0.8, 0.1],
        [0.3, 0.05],
        [0.12, 0.35],
        [0.5, 0.5],
        [0.84, 0.2],
        [0.84, 0.05],
        [0.84, 0.05],
        [0.84, 1.0],
    ]],
    &[&[
        [0.85, 0.2],
        [0.5, 0.0],
        [0.12, 0.22],
        [0.4, 0.48],
        [0.82, 0.3],
        [0.85, 0.55],
        [0.6, 0.95],
        [0.15, 0.92],
    ]],
    &[&[
        [0.75, 0.05],
        [0.25, 0.08],
        [0.15, 0.4],
        [0.55, 0.45],
        [0.85, 0.15],
        [0.8, 0.1],
        [0.75, 0.6],
        [0.55, 1.0],
    ]],
];

const DIGITS: [&[Style]; 10] = [ZERO, ONE, TWO, THREE, FOUR, FIVE, SIX, SEVEN, EIGHT, NINE];

/// What a pen leaves on paper.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pen {
    /// Its ink.
    pub ink: [u8; 3],
    /// The width of its line in millimetres.
    pub width_mm: f32,
    /// How much the width follows the hand, 0 to 1.
    pub swell: f32,
    /// How unevenly it covers, 0 to 1: a pencil leaves grains.
    pub grain: f32,
}

impl Pen {
    /// A pen as it lies on somebody's desk.
    pub fn any(chance: &mut Chance) -> Self {
        match chance.below(10) {
            0..=3 => Self::ball(chance),
            4 | 5 => Self {
                ink: [18, 18, 24],
                width_mm: chance.between(0.35, 0.6),
                swell: 0.05,
                grain: 0.03,
            },
            6 => Self {
                ink: [22, 22, 26],
                width_mm: chance.between(0.65, 1.05),
                swell: 0.1,
                grain: 0.05,
            },
            7 => {
                let grey = byte(chance.between(70.0, 125.0));
                Self {
                    ink: [grey; 3],
                    width_mm: chance.between(0.35, 0.65),
                    swell: 0.15,
                    grain: 0.35,
                }
            }
            8 => Self {
                ink: [24, 28, 70],
                width_mm: chance.between(0.4, 0.8),
                swell: 0.35,
                grain: 0.05,
            },
            _ => Self {
                ink: [52, 70, 150],
                width_mm: chance.between(0.3, 0.5),
                swell: 0.1,
                grain: 0.12,
            },
        }
    }

    fn ball(chance: &mut Chance) -> Self {
        let ink = if chance.happens(0.5) { [28, 36, 96] } else { [26, 26, 30] };
        Self { ink, width_mm: chance.between(0.28, 0.5), swell: 0.15, grain: 0.1 }
    }
}

fn byte(value: f32) -> u8 {
    super::byte(value)
}

/// Somebody's hand: how they write each digit, and how steadily.
#[derive(Clone, Debug)]
pub struct Writer {
    styles: [usize; 10],
    /// The writer's own bend of every control point: the same in every digit they write.
    bend: u64,
    bent: f32,
    shaky: f32,
    slant: f32,
    tall_mm: f32,
    wide: f32,
    rounded: f32,
    /// What they write with.
    pen: Pen,
}

/// A line of the pen in millimetres, with its width.
pub(crate) type Line = Vec<([f32; 2], f32)>;

impl Writer {
    /// The writer of a seed.
    pub fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed ^ 0x57A7_1057);
        let styles = DIGITS.map(|styles| chance.below(styles.len()));
        Self {
            styles,
            bend: chance.next(),
            bent: chance.between(0.01, 0.06),
            shaky: chance.between(0.005, 0.03),
            slant: chance.gauss() * 0.12 + 0.06,
            tall_mm: chance.between(4.2, 7.4),
            wide: chance.between(0.5, 0.85),
            rounded: chance.between(0.3, 0.6),
            pen: Pen::any(&mut chance),
        }
    }

    /// What they write with.
    pub fn pen(&self) -> Pen {
        self.pen
    }

    /// The lines of a digit around a place in millimetres.
    pub(crate) fn lines(&self, digit: u8, centre: [f32; 2], chance: &mut Chance) -> Vec<Line> {
        let digit = usize::from(digit) % 10;
        // Nobody writes a digit the same way always.
        let styles = DIGITS.get(digit).copied().unwrap_or(ZERO);
        let own = self.styles.get(digit).copied().unwrap_or(0);
        let style = if chance.happens(0.12) { chance.below(styles.len()) } else { own };
        let strokes = styles.get(style).copied().unwrap_or_default();
        let tall = self.tall_mm * (1.0 + chance.gauss() * 0.06);
        let wide = (tall * self.wide * (1.0 + chance.gauss() * 0.08)).min(5.9);
        let slant = self.slant + chance.gauss() * 0.04;
        let turn = chance.gauss() * 0.04;
        let shift = [chance.gauss() * 0.35, chance.gauss() * 0.4];
        let mut own = Chance::new(self.bend ^ (digit as u64) << 8 ^ style as u64);
        let mut lines = Vec::new();
        for stroke in strokes {
            let mut before: Option<([f32; 2], [f32; 2])> = None;
            let points: Vec<[f32; 2]> = stroke
                .iter()
                .map(|point| {
                    // Both halves of a corner move together.
                    if let Some((_, bent)) = before.filter(|(was, _)| same(*was, *point)) {
                        return bent;
                    }
                    let bent = [0, 1].map(|axis: usize| {
                        let value = point.get(axis).copied().unwrap_or(0.0);
                        value + own.gauss() * self.bent + chance.gauss() * self.shaky
                    });
                    before = Some((*point, bent));
                    bent
                })
                .collect();
            let line = curve(&points, self.rounded).into_iter().map(|[x, y]| {
                let (x, y) = ((x - 0.5) * wide, (y - 0.5) * tall);
                let x = x - y * slant;
                [centre[0] + shift[0] + x - y * turn, centre[1] + shift[1] + y + x * turn]
            });
            lines.push(self.inked(line.collect(), chance));
        }
        lines
    }

    /// The width of the line along its way.
    fn inked(&self, points: Vec<[f32; 2]>, chance: &mut Chance) -> Line {
        let mut swell = 0.0_f32;
        let inked = points.into_iter().map(|point| {
            swell = swell * 0.85 + chance.gauss() * 0.5;
            (point, self.pen.width_mm * (1.0 + swell * self.pen.swell).clamp(0.5, 1.6))
        });
        inked.collect()
    }
}

/// A curve through the points (Catmull and Rom); `rounded` is its tension, 0 for straight pieces.
pub(crate) fn curve(points: &[[f32; 2]], rounded: f32) -> Vec<[f32; 2]> {
    const STEPS: u8 = 5;
    let mut all = Vec::new();
    let at = |index: Option<usize>| index.and_then(|index| points.get(index)).copied();
    for (index, pair) in points.windows(2).enumerate() {
        let &[a, b] = pair else { continue };
        if same(a, b) {
            continue;
        }
        let (before, after) =
            (at(index.checked_sub(1)).unwrap_or(a), at(Some(index + 2)).unwrap_or(b));
        for step in 0..=STEPS {
            let t = f32::from(step) / f32::from(STEPS);
            let (t2, t3) = (t * t, t * t * t);
            let mix = |a: f32, b: f32, before: f32, after: f32| {
                let (out, into) = ((b - before) * rounded, (after - a) * rounded);
                a * (2.0 * t3 - 3.0 * t2 + 1.0)
                    + out * (t3 - 2.0 * t2 + t)
                    + b * (3.0 * t2 - 2.0 * t3)
                    + into * (t3 - t2)
            };
            all.push([mix(a[0], b[0], before[0], after[0]), mix(a[1], b[1], before[1], after[1])]);
        }
    }
    if all.is_empty() { points.to_vec() } else { all }
}

/// Points of the tables above and their copies are equal to the last bit or not at all.
fn same([x, y]: [f32; 2], [u, v]: [f32; 2]) -> bool {
    x.total_cmp(&u).is_eq() && y.total_cmp(&v).is_eq()
}
