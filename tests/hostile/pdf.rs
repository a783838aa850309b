//! PDF files written by hand, down to what no library would write.

use std::io::Write;

use flate2::write::ZlibEncoder;
use flate2::{Compress, Compression, FlushCompress};

/// Objects by number, from 1; the first is the catalogue.
pub(crate) struct Pdf(Vec<Vec<u8>>);

impl Pdf {
    pub(crate) fn new(objects: &[&str]) -> Self {
        Self(objects.iter().map(|object| object.as_bytes().to_vec()).collect())
    }

    /// A catalogue and pages whose contents are the following objects, all with these resources.
    pub(crate) fn pages(contents: &[Vec<u8>], resources: &str) -> Self {
        let kids: Vec<String> =
            (0..contents.len()).map(|index| format!("{} 0 R", 3 + 2 * index)).collect();
        let kids = kids.join(" ");
        let mut objects = vec![
            b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
            format!("<< /Type /Pages /Kids [{kids}] /Count {} >>", contents.len()).into_bytes(),
        ];
        for (index, content) in contents.iter().enumerate() {
            objects.push(
                format!(
                    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {} 0 R \
                     /Resources << {resources} >> >>",
                    4 + 2 * index
                )
                .into_bytes(),
            );
            objects.push(content.clone());
        }
        Self(objects)
    }

    /// Adds an object and tells its number.
    pub(crate) fn add(&mut self, object: Vec<u8>) -> usize {
        self.0.push(object);
        self.0.len()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.with_trailer("")
    }

    pub(crate) fn with_trailer(&self, more: &str) -> Vec<u8> {
        let mut file = b"%PDF-1.7\n".to_vec();
        let mut places = Vec::new();
        for (number, object) in (1..).zip(&self.0) {
            places.push(file.len());
            file.extend(format!("{number} 0 obj\n").bytes());
            file.extend(object);
            file.extend(b"\nendobj\n");
        }
        let begin = file.len();
        file.extend(format!("xref\n0 {}\n0000000000 65535 f \n", places.len() + 1).bytes());
        for place in &places {
            file.extend(format!("{place:010} 00000 n \n").bytes());
        }
        let size = places.len() + 1;
        file.extend(
            format!("trailer\n<< /Size {size} /Root 1 0 R {more} >>\nstartxref\n{begin}\n%%EOF\n")
                .bytes(),
        );
        file
    }
}

pub(crate) fn stream(dictionary: &str, data: &[u8]) -> Vec<u8> {
    let head = format!("<< {dictionary} /Length {} >>\nstream\n", data.len());
    [head.as_bytes(), data, b"\nendstream"].concat()
}

pub(crate) fn deflated(dictionary: &str, data: &[u8]) -> Vec<u8> {
    stream(&format!("{dictionary} /Filter /FlateDecode"), &deflate(data))
}

pub(crate) fn deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// So many megabytes of a line over and over. A block that looks back on nothing before it is deflated
/// once and repeated.
pub(crate) fn bomb(line: &[u8], megabytes: usize) -> Vec<u8> {
    let block = line.repeat((1 << 20) / line.len());
    let mut packed = Vec::with_capacity(1 << 16);
    let mut deflater = Compress::new(Compression::best(), false);
    deflater.compress_vec(&block, &mut packed, FlushCompress::Full).unwrap();
    assert_eq!(deflater.total_in(), block.len() as u64);
    let mut bytes = b"\x78\xDA".to_vec();
    let mut sum = [1, 0];
    let own = adler(&block);
    for _ in 0..megabytes {
        bytes.extend(&packed);
        sum = joined(sum, own, block.len() as u64);
    }
    // An empty last block, and the sum.
    bytes.extend([3, 0]);
    bytes.extend(u32::try_from(sum[1] << 16 | sum[0]).unwrap().to_be_bytes());
    bytes
}

const PRIME: u64 = 65_521;

/// Adler's sums (RFC 1950, 8.2).
fn adler(bytes: &[u8]) -> [u64; 2] {
    bytes.iter().fold([1, 0], |[a, b], byte| {
        let a = (a + u64::from(*byte)) % PRIME;
        [a, (a + b) % PRIME]
    })
}

/// Those of two pieces, the second of which has that length.
fn joined([a, b]: [u64; 2], [a1, b1]: [u64; 2], length: u64) -> [u64; 2] {
    let before = a + PRIME - 1;
    [(before + a1) % PRIME, (b + b1 + length % PRIME * (before % PRIME)) % PRIME]
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_bomb_unpacks() {
        let mut unpacked = Vec::new();
        let bomb = bomb(b"q Q ", 3);
        flate2::read::ZlibDecoder::new(bomb.as_slice()).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked.len(), 3 << 20);
        assert!(unpacked.ends_with(b"q Q "));
    }
}
