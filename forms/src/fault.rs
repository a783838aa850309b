//! What can go wrong when printing and when reading.

use std::path::PathBuf;

use thiserror::Error;

/// Why a document was not printed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PrintFault {
    /// No face has this character; printing would leave an empty box.
    #[error("no font has the character {character:?} of {text:?}")]
    MissingGlyph {
        /// The character.
        character: char,
        /// The text it stands in.
        text: String,
    },
    /// A text does not fit into its box even at the smallest size.
    #[error("{text:?} does not fit into the field {field}")]
    TooLong {
        /// The name of the field.
        field: String,
        /// The text.
        text: String,
    },
    /// A number has more digits than its field has cells.
    #[error("{given} digits do not fit into the {cells} cells of the field {field}")]
    TooManyDigits {
        /// The name of the field.
        field: String,
        /// How many digits were given.
        given: usize,
        /// How many cells there are.
        cells: usize,
    },
    /// More users than the form has rows.
    #[error("{given} users do not fit into the {rows} rows of the form")]
    TooManyUsers {
        /// How many users were given.
        given: usize,
        /// How many rows there are.
        rows: usize,
    },
    /// The bank's permit to pay for replies has ended: whoever used the sheet would pay.
    #[error("the permit for replies ended on {until}; nothing that shows it is printed")]
    PermitEnded {
        /// Its last day.
        until: String,
    },
    /// Nothing was to be printed.
    #[error("there is nothing to print")]
    Nothing,
    /// The configured font file cannot be read.
    #[error("the font {} cannot be read", path.display())]
    FontFile {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A font file is suspiciously large.
    #[error("the font {} is too large ({size} bytes)", path.display())]
    FontTooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
    /// A font file holds no usable face.
    #[error("the file {} holds no usable face", path.display())]
    NoFace {
        /// The file.
        path: PathBuf,
    },
    /// A face was found but cannot be parsed.
    #[error("the face {name} cannot be parsed")]
    FaceUnreadable {
        /// Its name.
        name: String,
        /// The cause.
        source: ttf_parser::FaceParsingError,
    },
    /// A face could not be reduced to the glyphs in use.
    #[error("the face {name} cannot be subset: {reason}")]
    Subset {
        /// Its name.
        name: String,
        /// What the subsetter says.
        reason: String,
    },
    /// A code could not be made from its text.
    #[error("the code {payload:?} cannot be made")]
    Code {
        /// The text.
        payload: String,
    },
    /// The PDF could not be put together.
    #[error("the document cannot be written: {step}")]
    Document {
        /// What was being done.
        step: &'static str,
        /// The cause.
        source: lopdf::Error,
    },
    /// The PDF library warned, which it does only when something will be missing on paper.
    #[error("the document would be incomplete: {warning}")]
    Incomplete {
        /// The first warning.
        warning: String,
    },
    /// The document that was to be filled is no fillable form of ours.
    #[error("the document is no fillable form")]
    NotFillable,
}

/// Why a file, or one page of it, was not read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadFault {
    /// The file is missing or cannot be opened.
    #[error("the file cannot be opened: {reason}")]
    Unopened {
        /// The system's word.
        reason: String,
    },
    /// The content is none of PDF, PNG, JPEG, TIFF and HEIC.
    #[error("the file is neither PDF, PNG, JPEG, TIFF nor HEIC")]
    UnknownType,
    /// The file is larger than allowed.
    #[error("the file has {size} bytes, more than {limit}")]
    TooLarge {
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// The file has more pages than allowed.
    #[error("the file has more than {limit} pages")]
    TooManyPages {
        /// The limit.
        limit: usize,
    },
    /// A picture is larger than allowed; it was not decoded.
    #[error("a picture of {width} × {height} pixels is larger than allowed")]
    TooManyPixels {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
    },
    /// The picture is damaged or of an unsupported kind.
    #[error("the picture cannot be decoded: {reason}")]
    Picture {
        /// What the decoder says.
        reason: String,
    },
    /// The PDF opens with a password only.
    #[error("the PDF is protected by a password")]
    Protected,
    /// The PDF is damaged or of an unsupported kind.
    #[error("the PDF cannot be read: {reason}")]
    Pdf {
        /// What the parser says.
        reason: String,
    },
    /// The page exhausted the share of memory or time that pages have.
    #[error("the page took more than its share of memory or time and was set aside")]
    Exhausted,
    /// A decoder gave up on hostile data in a way it should not.
    #[error("the decoder broke on this file")]
    DecoderBroke,
}
