//! The networks that read digits, as the programs see them that train and measure them: the same
//! code that reads forms answers there.

pub use crate::digits::{
    Bar, CLASSES, Ground, JUNK, Judged, KERNELS, LAYERS, Layer, Likeliest, Network, POOLED, Panel,
    Pass, SIDES, STAGES, Shape, pooled, probabilities, redrawn,
};
