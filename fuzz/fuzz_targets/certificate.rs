#![no_main]

use turnkey_backend::Certificate;
use turnkey_fuzz::{check_certificate, check_printable};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    match Certificate::from_der(input) {
        Ok(certificate) => {
            assert_eq!(&**certificate.der(), input);
            check_certificate(&certificate);
        }
        Err(error) => check_printable(&error.to_string()),
    }
});
