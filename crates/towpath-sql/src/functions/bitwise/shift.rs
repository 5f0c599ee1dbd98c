//! What the shifts share: numbers of any integer type, as bits of that type's width.

/// The amount to shift by, `None` if nothing of the number's bits is left. As in Java, only the low
/// six bits of a negative amount count.
pub(super) fn amount(shift: i64, width: u32) -> Option<u32> {
    if shift >= i64::from(width) {
        return None;
    }
    u32::try_from(shift & 63).ok()
}

/// The low `width` bits of `bits` as a signed number.
pub(super) fn signed(bits: i64, width: u32) -> i64 {
    let unused = 64 - width;
    (bits << unused) >> unused
}

/// The low `width` bits of `value`, without its sign.
pub(super) fn unsigned(value: i64, width: u32) -> u64 {
    let unused = 64 - width;
    (value.cast_unsigned() << unused) >> unused
}
