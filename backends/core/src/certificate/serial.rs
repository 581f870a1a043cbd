use std::fmt::Write as _;

/// The content of a DER INTEGER, which is in two's complement, as a number in hexadecimal. RFC 5280
/// §4.1.2.2 requires positive serial numbers, but also that others are handled.
pub(super) fn serial(integer: &[u8]) -> String {
    let negative = integer.first().is_some_and(|byte| byte & 0x80 != 0);
    let mut magnitude = integer.to_vec();
    if negative {
        let mut carry = true;
        for byte in magnitude.iter_mut().rev() {
            (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
        }
    }
    let zeros = magnitude.iter().take_while(|&&byte| byte == 0).count();
    let digits = magnitude.get(zeros..).filter(|digits| !digits.is_empty()).unwrap_or(&[0]);
    let mut text = String::from(if negative { "-" } else { "" });
    for byte in digits {
        // Writing to a `String` does not fail.
        let _ = write!(text, "{byte:02X}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_are_read_as_signed() {
        assert_eq!(serial(&[0x00]), "00");
        assert_eq!(serial(&[]), "00");
        assert_eq!(serial(&[0x00, 0x80]), "80");
        assert_eq!(serial(&[0x01, 0x00]), "0100");
        assert_eq!(serial(&[0xff]), "-01");
        assert_eq!(serial(&[0x80]), "-80");
        assert_eq!(serial(&[0xff, 0x00]), "-0100");
    }
}
