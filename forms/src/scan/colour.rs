//! Colour as a picture stores it: looked up where it is asked for, converted nowhere else.

use image::{GrayImage, RgbImage};

/// The colour of a picture, beside its brightness.
#[derive(Clone, Debug)]
pub(crate) enum Tint {
    /// Every pixel in full.
    Full(RgbImage),
    /// As a JPEG stores it.
    Chroma(Chroma),
}

/// How much bluer and redder than grey (T.871), coarser than brightness.
#[derive(Clone, Debug)]
pub(crate) struct Chroma {
    blue: GrayImage,
    red: GrayImage,
    /// How many pixels share a sample, across and down.
    share: [u32; 2],
}

impl Chroma {
    /// Blue and red samples of that size; none when there are too few.
    pub(super) fn new(
        [blue, red]: [Vec<u8>; 2],
        [width, height]: [usize; 2],
        [across, down]: [usize; 2],
    ) -> Option<Self> {
        let number = |value: usize| u32::try_from(value).ok();
        let (width, height) = (number(width)?, number(height)?);
        Some(Self {
            blue: GrayImage::from_raw(width, height, blue)?,
            red: GrayImage::from_raw(width, height, red)?,
            share: [number(across)?.max(1), number(down)?.max(1)],
        })
    }

    /// The colour of a pixel of that brightness.
    fn at(&self, luma: u8, x: u32, y: u32) -> Option<[u8; 3]> {
        let [across, down] = self.share;
        let sample =
            |plane: &GrayImage| plane.get_pixel_checked(x / across, y / down).map(|p| p.0[0]);
        Some(from_planes(luma, sample(&self.blue)?, sample(&self.red)?))
    }
}

/// Red, green and blue (T.871, 7), in whole numbers.
fn from_planes(luma: u8, blue: u8, red: u8) -> [u8; 3] {
    let (y, b, r) = (i32::from(luma) << 16, i32::from(blue) - 128, i32::from(red) - 128);
    let rounded = |value: i32| u8::try_from(((value + 32_768) >> 16).clamp(0, 255)).unwrap_or(0);
    [rounded(y + 91_881 * r), rounded(y - 22_554 * b - 46_802 * r), rounded(y + 116_130 * b)]
}

impl Tint {
    /// Clockwise by so many quarters.
    pub(super) fn turned(self, quarters: u8) -> Self {
        match self {
            Self::Full(picture) => Self::Full(turned(picture, quarters)),
            Self::Chroma(Chroma { blue, red, share: [across, down] }) => Self::Chroma(Chroma {
                blue: turned(blue, quarters),
                red: turned(red, quarters),
                share: if quarters % 2 == 1 { [down, across] } else { [across, down] },
            }),
        }
    }
}

/// Any picture turned clockwise by so many quarters.
pub(super) fn turned<P: image::Pixel<Subpixel = u8> + 'static>(
    picture: image::ImageBuffer<P, Vec<u8>>,
    quarters: u8,
) -> image::ImageBuffer<P, Vec<u8>> {
    match quarters % 4 {
        1 => image::imageops::rotate90(&picture),
        2 => image::imageops::rotate180(&picture),
        3 => image::imageops::rotate270(&picture),
        _ => picture,
    }
}

/// The colours of a page, pixel by pixel.
#[derive(Clone, Copy)]
pub(crate) struct Colours<'p> {
    grey: &'p GrayImage,
    tint: &'p Tint,
}

impl<'p> Colours<'p> {
    pub(super) fn new(grey: &'p GrayImage, tint: &'p Tint) -> Self {
        Self { grey, tint }
    }

    /// Red, green and blue of a pixel; none beyond the picture.
    pub(crate) fn at(self, x: u32, y: u32) -> Option<[u8; 3]> {
        match self.tint {
            Tint::Full(picture) => picture.get_pixel_checked(x, y).map(|pixel| pixel.0),
            Tint::Chroma(chroma) => chroma.at(self.grey.get_pixel_checked(x, y)?.0[0], x, y),
        }
    }

    /// All of them, for people to look at.
    pub(super) fn picture(self) -> RgbImage {
        let (width, height) = self.grey.dimensions();
        match self.tint {
            Tint::Full(picture) => picture.clone(),
            Tint::Chroma(_) => RgbImage::from_fn(width, height, |x, y| {
                image::Rgb(self.at(x, y).unwrap_or([255; 3]))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_come_out_of_their_planes() {
        // Brightness, blue and red of pure colours as T.871 computes them.
        for (planes, wanted) in [
            ([76, 85, 255], [254, 0, 0]),
            ([150, 44, 21], [0, 255, 1]),
            ([29, 255, 107], [0, 0, 254]),
            ([200, 128, 128], [200, 200, 200]),
        ] {
            assert_eq!(from_planes(planes[0], planes[1], planes[2]), wanted);
        }
    }

    #[test]
    fn a_turned_picture_keeps_its_colours() {
        let planes = [vec![90, 200], vec![200, 90]];
        let chroma = Chroma::new(planes, [2, 1], [2, 3]).unwrap();
        let grey = GrayImage::from_pixel(4, 3, image::Luma([120]));
        let before = Colours::new(&grey, &Tint::Chroma(chroma.clone())).picture();
        let (grey, tint) = (turned(grey, 1), Tint::Chroma(chroma).turned(1));
        assert_eq!(Colours::new(&grey, &tint).picture(), image::imageops::rotate90(&before));
    }
}
