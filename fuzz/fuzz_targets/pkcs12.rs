#![no_main]

use turnkey_backend::Identity;
use turnkey_fuzz::{check_identity, check_printable, check_same, now};

// The input is a line with the password, then the file. An empty line is no password.
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let (password, der) = match input.iter().position(|&b| b == b'\n') {
        Some(end) => (String::from_utf8_lossy(&input[..end]), &input[end + 1..]),
        None => ("".into(), input),
    };
    let password = (!password.is_empty()).then_some(&*password);
    match Identity::from_pkcs12(der, password, now()) {
        Ok(identity) => {
            check_identity(&identity);
            match identity.to_pkcs12("fuzz") {
                Ok(der) => check_same(&identity, Identity::from_pkcs12(&der, Some("fuzz"), now())),
                Err(error) => panic!("it cannot be written: {error:?}"),
            }
        }
        Err(error) => check_printable(&error.to_string()),
    }
});
