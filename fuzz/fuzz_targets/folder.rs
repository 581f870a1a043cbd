#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| turnkey::fuzzing::folder(input));
