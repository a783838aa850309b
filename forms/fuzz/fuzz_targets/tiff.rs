//! TIFF files: whatever is not one is made to look like one.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: forms_fuzz::let_panics_unwind(), |data: &[u8]| {
    let mut bytes = data.to_vec();
    if !bytes.starts_with(b"MM\0*")
        && let Some(head) = bytes.first_chunk_mut::<4>()
    {
        *head = *b"II*\0";
    }
    forms_fuzz::read(&bytes);
});
