//! Numbers and addresses on a line, without `fmt`, which costs more than the rest of the line.

use std::net::IpAddr;

use itoa::{Buffer, Integer};

use super::put;
use crate::common::address::ClientAddr;

pub(super) fn push_number(line: &mut Vec<u8>, number: impl Integer) {
    line.extend_from_slice(Buffer::new().format(number).as_bytes());
}

/// Adds the last three digits of `number`, with leading zeros.
pub(super) fn push_three_digits(line: &mut Vec<u8>, number: u32) {
    let digit = |number: u32| b'0' + u8::try_from(number % 10).unwrap_or_default();
    line.extend_from_slice(&[digit(number / 100), digit(number / 10), digit(number)]);
}

pub(super) fn push_address(line: &mut Vec<u8>, client: ClientAddr) {
    let ClientAddr::Ip(IpAddr::V4(ip)) = client else { return put(line, client) };
    let [first, rest @ ..] = ip.octets();
    push_number(line, first);
    for octet in rest {
        line.push(b'.');
        push_number(line, octet);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed(push: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut line = Vec::new();
        push(&mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn numbers_and_addresses_are_those_of_fmt() {
        for number in [0, 1, 9, 10, 99, 100, 101, 65_535, u64::from(u32::MAX), u64::MAX] {
            assert_eq!(pushed(|line| push_number(line, number)), number.to_string());
        }
        for number in 0..2000 {
            let digits = pushed(|line| push_three_digits(line, number));
            assert_eq!(digits, format!("{:03}", number % 1000));
        }
        let addresses =
            ["0.0.0.0", "255.255.255.255", "192.0.2.7", "10.99.100.1", "::", "2001:db8::1"];
        let addresses = addresses.map(|ip| ClientAddr::Ip(ip.parse().unwrap()));
        for client in addresses.into_iter().chain([ClientAddr::Unix]) {
            assert_eq!(pushed(|line| push_address(line, client)), client.to_string());
        }
    }
}
