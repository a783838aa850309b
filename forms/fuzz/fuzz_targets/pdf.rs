//! PDF files.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: forms_fuzz::let_panics_unwind(), |data: &[u8]| forms_fuzz::read(data));
