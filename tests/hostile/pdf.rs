//! PDF files written by hand, down to what no library would write.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// Objects by number, from 1; the first is the catalogue.
pub struct Pdf(Vec<Vec<u8>>);

impl Pdf {
    pub fn new(objects: &[&str]) -> Self {
        Self(objects.iter().map(|object| object.as_bytes().to_vec()).collect())
    }

    /// A catalogue and pages whose contents are the following objects, all with these resources.
    pub fn pages(contents: &[Vec<u8>], resources: &str) -> Self {
        let kids: String =
            (0..contents.len()).map(|index| format!("{} 0 R ", 3 + 2 * index)).collect();
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
    pub fn add(&mut self, object: Vec<u8>) -> usize {
        self.0.push(object);
        self.0.len()
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.with_trailer("")
    }

    pub fn with_trailer(&self, more: &str) -> Vec<u8> {
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

pub fn stream(dictionary: &str, data: &[u8]) -> Vec<u8> {
    let head = format!("<< {dictionary} /Length {} >>\nstream\n", data.len());
    [head.as_bytes(), data, b"\nendstream"].concat()
}

pub fn deflated(dictionary: &str, data: &[u8]) -> Vec<u8> {
    stream(&format!("{dictionary} /Filter /FlateDecode"), &deflate(data))
}

pub fn deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// So many megabytes of a line over and over, deflated without being held.
pub fn bomb(line: &[u8], megabytes: usize) -> Vec<u8> {
    let block = line.repeat((1 << 20) / line.len());
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    for _ in 0..megabytes {
        encoder.write_all(&block).unwrap();
    }
    encoder.finish().unwrap()
}
