//! `contains(network, address)`: whether an IP address is in a network written as CIDR, such as
//! `10.0.0.0/8` or `2001:db8::/32`. The address of an IPv4 network must be its first.
//!
//! <https://trino.io/docs/current/functions/ipaddress.html#ip-address-contains>

use std::net::IpAddr;

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, collect, invalid, map2};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("contains").form(
        &[Param::Varchar, Param::Fixed16],
        Returns::BOOLEAN,
        evaluate,
    )
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    if let Some(Some(network)) = args.constant::<&str>(0)? {
        let network = Network::parse(network)?;
        let addresses = args.column::<&[u8]>(1)?;
        return collect(args.rows, |row| Ok(addresses.get(row).map(|one| network.contains(one))));
    }
    map2(args, |network: &str, address: &[u8]| Ok(Some(Network::parse(network)?.contains(address))))
}

/// A network: the bits of its addresses and how many of them are fixed. An IPv4 network lies in
/// the part of IPv6 that stands for IPv4.
#[derive(Debug)]
struct Network {
    bits: u128,
    fixed: u32,
    is_v4: bool,
}

impl Network {
    fn parse(cidr: &str) -> Result<Network> {
        let Some((address, length)) = cidr.split_once('/') else {
            return Err(invalid("Invalid CIDR"));
        };
        let Ok(address) = address.parse::<IpAddr>() else {
            return Err(invalid("Invalid network IP address"));
        };
        let (bits, width) = match address {
            IpAddr::V4(four) => (u128::from_be_bytes(four.to_ipv6_mapped().octets()), 32),
            IpAddr::V6(six) => (u128::from_be_bytes(six.octets()), 128),
        };
        match length.parse::<u32>() {
            Ok(length) if length <= width => {
                let is_v4 = width == 32;
                let beyond = u128::from(u32::MAX).checked_shr(length).unwrap_or(0);
                if is_v4 && length < 32 && bits & beyond != 0 {
                    return Err(invalid("Invalid CIDR"));
                }
                Ok(Network { bits, fixed: 128 - width + length, is_v4 })
            }
            Ok(_) => Err(invalid("Prefix length exceeds address length")),
            Err(_) => Err(invalid("Invalid prefix length")),
        }
    }

    fn contains(&self, address: &[u8]) -> bool {
        let Ok(octets) = <[u8; 16]>::try_from(address) else { return false };
        let is_v4 = std::net::Ipv6Addr::from(octets).to_ipv4_mapped().is_some();
        let difference = self.bits ^ u128::from_be_bytes(octets);
        is_v4 == self.is_v4 && difference.checked_shr(128 - self.fixed).unwrap_or(0) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, address: &str) -> bool {
        let octets = match address.parse::<IpAddr>().unwrap() {
            IpAddr::V4(four) => four.to_ipv6_mapped().octets(),
            IpAddr::V6(six) => six.octets(),
        };
        Network::parse(network).unwrap().contains(&octets)
    }

    #[test]
    fn networks_hold_their_addresses() {
        assert!(contains("10.0.0.0/8", "10.255.255.255"));
        assert!(!contains("10.0.0.0/8", "11.255.255.255"));
        assert!(contains("0.0.0.0/0", "1.2.3.4"));
        assert!(contains("1.2.3.4/32", "1.2.3.4"));
        assert!(contains("2001:db8::/48", "2001:db8:0:0:1::1"));
        assert!(!contains("::/0", "1.2.3.4"));
        for network in [
            "",
            "10.0.0.0",
            "255.249.1.1/13",
            "1.2.3.4/0",
            "10.0.0.0/33",
            "10.0.0/8",
            "10.0.0.0/x",
            "::/129",
        ] {
            assert!(Network::parse(network).is_err(), "{network}");
        }
    }
}
