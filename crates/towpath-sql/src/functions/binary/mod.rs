//! Binary functions: <https://trino.io/docs/current/functions/binary.html>.

mod base64_text;
mod crc32;
mod from_base32;
mod from_base64;
mod from_base64url;
mod from_big_endian_32;
mod from_big_endian_64;
mod from_hex;
mod from_ieee754_32;
mod from_ieee754_64;
mod hmac;
mod hmac_md5;
mod hmac_sha1;
mod hmac_sha256;
mod hmac_sha512;
mod md5;
mod murmur3;
mod sha1;
mod sha256;
mod sha512;
mod spooky;
mod spooky_hash_v2_32;
mod spooky_hash_v2_64;
mod to_base32;
mod to_base64;
mod to_base64url;
mod to_big_endian_32;
mod to_big_endian_64;
mod to_hex;
mod to_ieee754_32;
mod to_ieee754_64;
mod xxhash64;

use super::Registry;

/// Adds the functions of this group.
pub(super) fn register(registry: &mut Registry) {
    registry.scalar(crc32::function());
    registry.scalar(from_base32::function());
    registry.scalar(from_base64::function());
    registry.scalar(from_base64url::function());
    registry.scalar(from_big_endian_32::function());
    registry.scalar(from_big_endian_64::function());
    registry.scalar(from_hex::function());
    registry.scalar(from_ieee754_32::function());
    registry.scalar(from_ieee754_64::function());
    registry.scalar(hmac_md5::function());
    registry.scalar(hmac_sha1::function());
    registry.scalar(hmac_sha256::function());
    registry.scalar(hmac_sha512::function());
    registry.scalar(md5::function());
    registry.scalar(murmur3::function());
    registry.scalar(sha1::function());
    registry.scalar(sha256::function());
    registry.scalar(sha512::function());
    registry.scalar(spooky_hash_v2_32::function());
    registry.scalar(spooky_hash_v2_64::function());
    registry.scalar(to_base32::function());
    registry.scalar(to_base64::function());
    registry.scalar(to_base64url::function());
    registry.scalar(to_big_endian_32::function());
    registry.scalar(to_big_endian_64::function());
    registry.scalar(to_hex::function());
    registry.scalar(to_ieee754_32::function());
    registry.scalar(to_ieee754_64::function());
    registry.scalar(xxhash64::function());
}
